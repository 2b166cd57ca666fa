import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_bundle import make_bundle, reseal

from luodi.bundle import attach_evaluation, open_predictor, verify
from luodi.bundle.verification import compare_answers, distance
from luodi.contracts import BundleError


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_sound_bundle_verifies_exactly(bundle):
    seen = verify(bundle)
    assert seen.ok
    assert seen.problems == ()
    assert seen.golden_checked == 6
    assert seen.max_difference == 0.0
    assert seen.files == len(files_of(bundle))
    assert seen.evaluated


def test_any_byte_flipped_in_any_file_is_refused(bundle):
    for path in files_of(bundle):
        whole = path.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            for bit in (0x01, 0x20, 0x80):
                changed = bytearray(whole)
                changed[place] ^= bit
                path.write_bytes(bytes(changed))
                assert not verify(bundle).ok, (path, place, bit)
                with pytest.raises(BundleError):
                    open_predictor(bundle)
        path.write_bytes(whole)
    assert verify(bundle).ok


def test_the_changed_file_is_named(bundle):
    path = bundle / "model" / "weights.json"
    path.write_bytes(path.read_bytes().replace(b"2.0", b"2.1"))
    seen = verify(bundle)
    assert [str(path) in problem for problem in seen.problems] == [True]
    with pytest.raises(BundleError, match=r"weights\.json"):
        open_predictor(bundle)


@pytest.mark.parametrize("cut", [b"", b"x"])
def test_truncation_and_growth_are_refused(bundle, cut):
    for path in files_of(bundle):
        whole = path.read_bytes()
        path.write_bytes(whole + cut if cut else whole[:-1])
        assert not verify(bundle).ok, path
        path.write_bytes(whole)


def test_a_missing_file_is_refused(bundle, tmp_path):
    for path in files_of(bundle):
        path.rename(tmp_path / "away")
        seen = verify(bundle)
        assert not seen.ok, path
        with pytest.raises(BundleError):
            open_predictor(bundle)
        (tmp_path / "away").rename(path)
    assert verify(bundle).ok


@pytest.mark.parametrize("place", ["extra.bin", "model/extra.bin", "evaluation/extra", ".hidden"])
def test_an_extra_file_is_refused(bundle, place):
    (bundle / place).write_text("more")
    assert "extra" in " ".join(verify(bundle).problems) or place == ".hidden"
    assert not verify(bundle).ok


def test_links_and_pipes_are_refused_even_with_the_right_content(bundle, tmp_path):
    path = bundle / "model" / "weights.json"
    shutil.copy(path, tmp_path / "copy.json")
    path.unlink()
    path.symlink_to(tmp_path / "copy.json")
    assert not verify(bundle).ok
    with pytest.raises(BundleError):
        open_predictor(bundle)
    path.unlink()
    os.mkfifo(path)
    assert not verify(bundle).ok
    path.unlink()
    shutil.copy(tmp_path / "copy.json", path)
    assert verify(bundle).ok


def test_a_linked_folder_is_refused(bundle, tmp_path):
    (bundle / "model").rename(tmp_path / "model")
    (bundle / "model").symlink_to(tmp_path / "model")
    assert not verify(bundle).ok


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a/../../b", "a\\b", "a//b", "."])
def test_a_manifest_whose_paths_leave_the_folder_is_refused(bundle, name):
    def change(value):
        value["files"][name] = {"sha256": "0" * 64, "bytes": 1}

    reseal(bundle, change)
    seen = verify(bundle)
    assert not seen.ok
    assert "path" in seen.problems[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("name", "../x"),
        ("name", 3),
        ("files", {}),
        ("files", []),
        ("files", {"a": 1}),
        ("files", {"a": {"sha256": "zz", "bytes": 1}}),
        ("files", {"a": {"sha256": "0" * 64, "bytes": -1}}),
        ("tolerance", "wide"),
        ("tolerance", 7),
        ("task", None),
    ],
)
def test_a_malformed_manifest_is_an_error_in_words(bundle, field, value):
    reseal(bundle, lambda manifest: manifest.__setitem__(field, value))
    assert not verify(bundle).ok
    with pytest.raises(BundleError):
        open_predictor(bundle)


def test_an_evaluation_of_another_bundle_is_refused(bundle, tmp_path):
    other = tmp_path / "other"
    make_bundle(other, weights={"great": 9.0})
    attach_evaluation(other, {"report.html": b"<p>0.99</p>"})
    shutil.rmtree(bundle / "evaluation")
    shutil.copytree(other / "evaluation", bundle / "evaluation")
    assert not verify(bundle).ok


def test_the_expected_digest_is_held_to(bundle):
    assert verify(bundle, expected_digest=verify(bundle).digest).ok
    assert not verify(bundle, expected_digest="sha256:" + "0" * 64).ok


def test_an_answer_that_changed_is_found(tmp_path):
    """A model that was swapped together with its seals still fails its golden answers."""
    folder = tmp_path / "bundle"
    make_bundle(folder)
    path = folder / "model" / "weights.json"
    path.write_bytes(path.read_bytes().replace(b"2.0", b"9.0"))

    def change(value):
        from luodi.bundle.seals import seal_file

        value["files"]["model/weights.json"] = vars(seal_file(path))

    reseal(folder, change)
    seen = verify(folder)
    assert not seen.ok
    assert seen.golden_checked == 6
    assert seen.max_difference > 0.01
    assert verify(folder, replay=False).ok


def test_no_bundle_at_all(tmp_path):
    assert not verify(tmp_path / "none").ok
    assert not verify(tmp_path).ok
    assert not verify(__import__("pathlib").Path(__file__)).ok


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(numbers, max_size=5), st.floats(1e-3, 0.5))
def test_distance_is_zero_for_equals_and_relative_for_others(values, shift):
    assert distance(values, list(values)) == 0.0
    for value in values:
        moved = value + shift * max(1.0, abs(value))
        assert distance(value, moved) == pytest.approx(shift, rel=1e-6)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"label": "a"}, {"label": "b"}),
        ({"label": "a"}, {"label": "a", "more": 1}),
        ([1.0], [1.0, 2.0]),
        (1.0, True),
        ("1", 1),
        (1.0, float("nan")),
        (None, 0),
    ],
)
def test_any_other_difference_is_infinite(wanted, found):
    assert distance(wanted, found) == float("inf")


def test_too_few_answers_are_a_problem():
    assert compare_answers([{"label": "a"}], [], 1e-4)[1]
