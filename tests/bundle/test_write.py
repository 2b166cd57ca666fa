import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny_bundle import SCHEMA, export, facts, make_bundle

from luodi.bundle import GOLDEN_LIMIT, attach_evaluation, read_manifest, verify, write_bundle
from luodi.contracts import BundleError
from luodi.data.preparation import Preparation


def test_the_same_inputs_give_the_same_digest(tmp_path):
    first = make_bundle(tmp_path / "a")
    time.sleep(0.01)
    assert make_bundle(tmp_path / "b") == first
    assert make_bundle(tmp_path / "c", weights={"great": 2.5}) != first


def test_the_layout_is_whole_and_readable(bundle):
    names = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    manifest, digest = read_manifest(bundle)
    assert names == set(manifest.files) | {
        "manifest.json",
        "digest",
        *(f"evaluation/{name}" for name in ("manifest.json", "digest", "report.html")),
        "evaluation/deep/result.json",
    }
    assert {"schema.json", "preparation.json", "golden.jsonl", "data.json"} <= names
    assert json.loads((bundle / "environment.json").read_bytes())["packages"]["orjson"]
    assert json.loads((bundle / "licences.json").read_bytes()) == {"tiny": "MIT"}
    assert manifest.serving == {"max_batch": 8}
    assert digest.startswith("sha256:")


def test_no_path_or_user_of_this_machine_is_written(bundle, tmp_path):
    whole = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    assert str(tmp_path).encode() not in whole
    assert str(Path.home()).encode() + b"/" not in whole


def test_writing_again_changes_nothing_and_another_bundle_is_refused(tmp_path):
    digest = make_bundle(tmp_path / "a")
    before = (tmp_path / "a" / "manifest.json").stat().st_mtime_ns
    assert make_bundle(tmp_path / "a") == digest
    assert (tmp_path / "a" / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(BundleError, match="already holds"):
        make_bundle(tmp_path / "a", weights={"great": 2.5})
    assert read_manifest(tmp_path / "a")[1] == digest


def test_a_folder_of_something_else_is_never_overwritten(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("ten years")
    with pytest.raises(BundleError):
        make_bundle(tmp_path / "a")
    assert (tmp_path / "a" / "thesis.txt").read_text() == "ten years"


@pytest.mark.parametrize("count", [0, GOLDEN_LIMIT + 1])
def test_golden_answers_are_needed_and_bounded(tmp_path, count):
    with pytest.raises(BundleError, match=str(count)):
        write_bundle(
            tmp_path / "a",
            exported=export(tmp_path / "e"),
            facts=facts(),
            schema=SCHEMA,
            golden=[({"text": "x"}, {"label": "good"})] * count,
            preparation=Preparation(),
        )


@pytest.mark.parametrize("answer", [float("nan"), {1, 2}, object()])
def test_an_answer_that_json_cannot_hold_is_an_error_in_words(tmp_path, answer):
    with pytest.raises(BundleError, match="cannot be written"):
        write_bundle(
            tmp_path / "a",
            exported=export(tmp_path / "e"),
            facts=facts(),
            schema=SCHEMA,
            golden=[({"text": "x"}, {"value": answer})],
            preparation=Preparation(),
        )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "a@b", "a:b", "x" * 101])
def test_a_name_that_cannot_be_used_is_refused(tmp_path, name):
    with pytest.raises(BundleError):
        make_bundle(tmp_path / "a", name=name)


def test_a_chinese_name_is_a_name(tmp_path):
    make_bundle(tmp_path / "a", name="评论情感")
    assert verify(tmp_path / "a").ok


def test_a_link_in_what_was_exported_is_refused(tmp_path):
    exported = export(tmp_path / "bundle-exported")
    (exported / "link").symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match="link"):
        make_bundle(tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_an_evaluation_replaces_the_one_before_and_keeps_the_digest(bundle):
    digest = read_manifest(bundle)[1]
    first = (bundle / "evaluation" / "digest").read_text()
    attach_evaluation(bundle, {"report.html": b"<p>0.8</p>", "copy.json": bundle / "schema.json"})
    assert (bundle / "evaluation" / "digest").read_text() != first
    assert not (bundle / "evaluation" / "deep").exists()
    assert read_manifest(bundle)[1] == digest
    assert verify(bundle).ok
    assert not [path for path in bundle.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["../schema.json", "digest", "manifest.json", "/nowhere/x"])
def test_an_evaluation_cannot_write_elsewhere(bundle, name):
    with pytest.raises(BundleError):
        attach_evaluation(bundle, {name: b"x"})
    assert verify(bundle).ok


WRITER = """
import sys
sys.path.insert(0, {tiny!r})
from pathlib import Path
import luodi.bundle.write as write
from tiny_bundle import make_bundle
print("ready", flush=True)
for number in range(10_000):
    make_bundle(Path({folder!r}) / str(number), weights={{"great": float(number)}})
"""


def test_a_kill_leaves_whole_bundles_only(tmp_path):
    """Killed again and again while it writes: each bundle that is there verifies."""
    tiny = str(Path(__file__).with_name("tiny"))
    written = 0
    for attempt in range(6):
        place = tmp_path / str(attempt)
        code = WRITER.format(tiny=tiny, folder=str(place))
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"ready\n"
            while not (place / str(attempt % 3)).exists():
                time.sleep(0.001)
            time.sleep(0.007 * attempt)  # into the middle of the next
            os.kill(writer.pid, signal.SIGKILL)
        for path in place.glob("[0-9]*"):
            if path.name.endswith("-exported"):
                continue
            assert verify(path).ok, path
            written += 1
        for left in place.glob(".*.writing"):
            # What the kill left goes away with the next writing of the same bundle.
            number = left.name.split(".")[1]
            make_bundle(place / number, weights={"great": float(number)})
            assert not left.exists()
    assert written


def test_two_writers_of_one_bundle_agree(tmp_path):
    exported = export(tmp_path / "exported")

    def write(_):
        return write_bundle(
            tmp_path / "bundle",
            exported=exported,
            facts=facts(),
            schema=SCHEMA,
            golden=[({"text": "fine"}, {"label": "good"})],
            preparation=Preparation(),
        )

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(write, range(8)))) == 1
    assert verify(tmp_path / "bundle", replay=False).ok
    assert not list(tmp_path.glob(".bundle.*"))


ATTACHER = """
import sys
from pathlib import Path
from luodi.bundle import attach_evaluation
print("ready", flush=True)
for number in range(10_000):
    attach_evaluation(Path({folder!r}), {{"report.html": str(number).encode() * 1000}})
"""


def test_a_kill_while_an_evaluation_is_attached_leaves_a_sound_bundle(bundle):
    code = ATTACHER.format(folder=str(bundle))
    for attempt in range(5):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(0.03 + 0.007 * attempt)
            os.kill(writer.pid, signal.SIGKILL)
        assert verify(bundle, replay=False).ok
    attach_evaluation(bundle, {"report.html": b"the last"})
    assert verify(bundle).evaluated
    assert not [path for path in bundle.parent.iterdir() if path.name.startswith(".")]
