"""Leaving words out finds the words that a model goes by."""

from __future__ import annotations

from luodi.tasks.text_classification.reasons import explain_texts, pieces_of


class Spotter:
    """Says pos for texts with good words; knows nothing else."""

    def predict(self, requests):
        answers = []
        for request in requests:
            score = 0.5 + 0.3 * ("很好" in request["text"]) + 0.15 * ("great" in request["text"])
            score -= 0.2 * ("坏" in request["text"])
            label = "pos" if score >= 0.5 else "neg"
            answers.append({"label": label, "probabilities": {"neg": 1 - score, "pos": score}})
        return answers


def test_words_and_characters_are_pieces():
    text = "质量很好, really great!"
    assert [text[a:b] for a, b in pieces_of(text)] == ["质", "量", "很", "好", "really", "great"]


def test_long_texts_are_cut_into_as_many_pieces_as_may_be():
    pieces = pieces_of("字" * 500, most=48)
    assert len(pieces) <= 48
    assert pieces[0].start == 0
    assert pieces[-1].end == 500


def test_what_carried_the_answer():
    (reasons,) = explain_texts(Spotter(), [{"text": "质量很好, really great 但是坏"}], 3)
    found = {reason.value: reason.contribution for reason in reasons}
    assert set(found) == {"很好", "great", "坏"}
    assert found["很好"] > found["great"] > 0 > found["坏"]
    first = reasons[0]
    assert (first.start, first.end) == (2, 4)
    assert first.text.startswith("“很好” speaks for pos (+")


def test_a_text_without_words_has_no_reasons():
    assert explain_texts(Spotter(), [{"text": "!!!"}, {"text": ""}], 3) == [[], []]
