import math

from luodi.compression.fidelity import compare


def answer(label, *numbers):
    return {"label": label, "probabilities": dict(zip("abc", numbers, strict=False))}


def test_the_same_answers_differ_in_nothing():
    same = [answer("x", 0.25, 0.75)]
    assert compare(same, same).to_json() == {"changed": 0.0, "mean": 0.0, "largest": 0.0}
    assert compare([], []).largest == 0.0


def test_labels_and_numbers_are_told_apart():
    expected = [answer("x", 0.5), answer("x", 0.5), answer("y", 0.1), answer("y", 0.1)]
    found = [answer("x", 0.5), answer("y", 0.4), answer("y", 0.1), answer("y", 0.4)]
    seen = compare(expected, found)
    assert seen.changed == 0.25
    assert math.isclose(seen.mean, 0.1)
    assert math.isclose(seen.largest, 0.3)


def test_another_shape_or_no_number_is_infinitely_far():
    assert compare([answer("x", 0.5)], [answer("x", 0.5, 0.5)]).largest == math.inf
    assert compare([answer("x", 0.5)], [answer("x", math.nan)]).largest == math.inf
    assert compare([{"values": [1.0]}], [{"values": [1.0, 2.0]}]).changed == 1.0
