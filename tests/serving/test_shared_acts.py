import asyncio

import pytest
from tiny_bundle import make_bundle

from luodi.contracts import RegistryError
from luodi.registry import Registry
from luodi.serving.building import Offers, build
from luodi.serving.router import CHAMPION, Offer
from luodi.serving.settings import ServeSettings
from luodi.serving.shared_acts import LOAD, UNLOAD, SharedActs


def test_one_worker_tells_nobody():
    acts = SharedActs(None)
    acts.tell(LOAD, "m")
    assert list(acts.news()) == []


def test_others_are_told_once_and_oneself_is_not(tmp_path):
    one, two = SharedActs(tmp_path / "acts"), SharedActs(tmp_path / "acts")
    assert list(two.news()) == []
    one.tell(LOAD, "模型", "v1", CHAMPION)
    assert list(one.news()) == []
    (act,) = two.news()
    assert (act["act"], act["model"], act["version"]) == (LOAD, "模型", "v1")
    assert list(two.news()) == []
    one.tell(UNLOAD, "模型")
    late = SharedActs(tmp_path / "acts")  # a worker that starts later does all of it
    assert [each["act"] for each in late.news()] == [LOAD, UNLOAD]


def test_what_was_told_is_done_when_all_have_done_it(tmp_path, monkeypatch):
    one, two = (SharedActs(tmp_path / "acts", others=1) for _ in range(2))

    async def story():
        number = one.tell(LOAD, "m")
        waiting = asyncio.create_task(one.done_by_all(number))
        await asyncio.sleep(0.1)
        assert list(one.news()) == []
        (act,) = two.news()
        await asyncio.sleep(0.1)
        assert not waiting.done()
        two.did(act)
        assert list(one.news()) == list(two.news()) == []
        await asyncio.wait_for(waiting, 5)
        monkeypatch.setattr("luodi.serving.shared_acts._PATIENCE", 0.1)
        await one.done_by_all(one.tell(UNLOAD, "m"))  # the other is gone: it is not for ever

    asyncio.run(story())


def test_half_a_line_waits_for_its_other_half(tmp_path):
    one, two = SharedActs(tmp_path / "acts"), SharedActs(tmp_path / "acts")
    one.tell(LOAD, "m")
    whole = (tmp_path / "acts").read_bytes()
    (tmp_path / "acts").write_bytes(whole[:-5])
    assert list(two.news()) == []
    (tmp_path / "acts").write_bytes(whole)
    assert [act["model"] for act in two.news()] == ["m"]


@pytest.fixture
def workers(tmp_path, monkeypatch):
    """Two workers of one service, in one process."""
    registry = Registry(tmp_path / ".luodi")
    for name in ("tiny", "other"):
        folder = tmp_path / ".luodi" / "bundles" / name
        make_bundle(folder, name=name)
        registry.add(folder)
    offers = Offers([Offer(registry.champion("tiny"), CHAMPION)], registry)
    settings = ServeSettings(acts=tmp_path / "acts")
    return [build(offers, settings) for _ in range(2)]


def test_what_one_worker_loads_and_unloads_the_other_does_too(workers):
    one, two = workers

    async def story():
        await one.follower.load("other")
        await two.follower.look()
        assert two.router.find("other").served is not None
        await two.follower.unload("other")
        await one.follower.look()
        with pytest.raises(RegistryError):
            one.router.find("other")
        assert one.router.names() == two.router.names() == ["tiny"]

    asyncio.run(story())
    for worker in workers:
        worker.router.fleet.close()
