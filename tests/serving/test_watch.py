import pytest

from luodi.serving.watch import RollbackRules, Watch

KEY = ("m", "v")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def saw(watch, count, seconds=0.01, failed=0):
    for number in range(count):
        watch.saw(KEY, seconds, number < failed)


def test_too_few_requests_are_not_judged(clock):
    watch = Watch(clock=clock)
    rules = RollbackRules(error_rate=0.1, requests=20)
    saw(watch, 19, failed=19)
    assert watch.broken(KEY, rules) == ""
    saw(watch, 1)
    assert "19 of 20 requests failed" in watch.broken(KEY, rules)
    watch.forget(KEY)
    assert watch.broken(KEY, rules) == ""


def test_workers_count_together(clock, tmp_path):
    one, two, three = (Watch(clock=clock, mine=tmp_path / f"{n}.watch") for n in range(3))
    rules = RollbackRules(error_rate=0.1, requests=50)
    for watch in (one, two, three):
        saw(watch, 20, failed=4)
        assert watch.broken(KEY, rules) == ""
    for _ in range(2):
        for watch in (one, two, three):
            watch.share()
    for watch in (one, two, three):
        assert "12 of 60 requests failed" in watch.broken(KEY, rules)
    clock.now += 1
    one.forget(KEY)  # a version takes over: what others saw of it before is of another time
    assert one.broken(KEY, rules) == ""
    for watch in (two, three):
        saw(watch, 30, failed=10)
        watch.share()
    one.share()
    assert "20 of 60" in one.broken(KEY, rules)


def test_slow_ones_are_told_among_workers_too(clock, tmp_path):
    one, two = (Watch(clock=clock, mine=tmp_path / f"{n}.watch") for n in range(2))
    saw(one, 60, seconds=0.5)
    one.share()
    two.share()
    assert "take up to" in two.broken(KEY, RollbackRules(p95=0.1, requests=50))


def test_the_rate_is_that_of_the_window(clock):
    watch = Watch(clock=clock)
    rules = RollbackRules(error_rate=0.1, requests=20, window=30)
    saw(watch, 50, failed=50)
    clock.now += 31
    saw(watch, 50, failed=5)
    assert watch.broken(KEY, rules) == ""
    saw(watch, 10, failed=10)
    assert watch.broken(KEY, rules)


@pytest.mark.parametrize(("share", "broken"), [(0.005, False), (0.02, True)])
def test_the_slowest_hundredth(clock, share, broken):
    watch = Watch(clock=clock)
    rules = RollbackRules(p99=0.2)
    slow = int(1000 * share)
    saw(watch, 1000 - slow, 0.05)
    saw(watch, slow, 0.5)
    assert bool(watch.broken(KEY, rules)) is broken
    assert bool(watch.broken(KEY, RollbackRules(p95=0.2))) is False


def test_a_rule_is_broken_beyond_doubt_only(clock):
    watch = Watch(clock=clock)
    saw(watch, 100, 0.2)
    assert watch.broken(KEY, RollbackRules(p99=0.2)) == ""
    assert watch.broken(KEY, RollbackRules(p99=0.15))
    saw(watch, 100, 1000.0)
    assert watch.broken(KEY, RollbackRules(p99=10))


def test_memory_is_bounded(clock):
    watch = Watch(longest=60, clock=clock)
    for _ in range(500):
        clock.now += 1
        saw(watch, 1)
    assert len(watch._seen[KEY]) <= 62


def test_rules_are_read_from_what_a_project_says():
    assert RollbackRules.from_json({}) is None
    assert RollbackRules.from_json({"window": 5}) is None
    rules = RollbackRules.from_json({"error_rate": 0.05, "p99": 0.5, "requests": 10, "p95": None})
    assert rules == RollbackRules(error_rate=0.05, p99=0.5, requests=10)
