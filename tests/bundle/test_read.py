import pytest
from tiny_bundle import make_bundle, reseal

from luodi.bundle import open_predictor, read_manifest, version_of
from luodi.contracts import BundleError, RequestError


def test_an_opened_bundle_answers_as_its_golden_answers_say(bundle):
    loaded = open_predictor(bundle)
    assert loaded.version == version_of(loaded.digest) == loaded.digest[7:19]
    assert loaded.predict(["a great day", {"text": "awful"}])[0]["label"] == "good"
    assert loaded.predict([]) == []


def test_requests_go_through_the_preparation(bundle):
    loaded = open_predictor(bundle)
    assert loaded.read(["mail me@example.com"]) != [{"text": "mail me@example.com"}]


@pytest.mark.parametrize("value", [3, None, {"txt": "a"}, {}, {"text": 1}, ["a"]])
def test_what_does_not_fit_names_its_field(bundle, value):
    with pytest.raises(RequestError) as refused:
        open_predictor(bundle).predict(["fine", value])
    assert refused.value.field.startswith("inputs[1]")


def test_another_digest_than_expected_is_refused(bundle):
    digest = read_manifest(bundle)[1]
    assert open_predictor(bundle, expected_digest=digest).digest == digest
    with pytest.raises(BundleError, match="caller"):
        open_predictor(bundle, expected_digest="sha256:" + "0" * 64)


def test_a_learner_that_is_not_there_is_named(tmp_path):
    make_bundle(tmp_path / "a")
    reseal(tmp_path / "a", lambda value: value.__setitem__("learner", "forest"))
    with pytest.raises(BundleError, match="forest"):
        open_predictor(tmp_path / "a")


def test_nothing_is_loaded_of_a_changed_bundle(bundle, monkeypatch):
    from tiny_task import TinyPredictor

    loaded = []
    monkeypatch.setattr(TinyPredictor, "load", lambda *_: loaded.append(1))
    (bundle / "schema.json").write_text("{}")
    with pytest.raises(BundleError, match=r"schema\.json"):
        open_predictor(bundle)
    assert not loaded
