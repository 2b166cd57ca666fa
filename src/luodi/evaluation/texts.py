"""What a report shows of why texts were answered as they were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luodi.contracts import Answering, Classified, JsonValue, Section, Table, say
from luodi.evaluation.shorten import shorten

SHOWN = 4
"""Texts shown of the surest right answers, and as many of the surest wrong ones."""
_LONGEST = 400
"""Characters of a text that is explained: longer ones cannot be read in a table."""


def carried(bundle: Answering, texts: Sequence[str], scored: Classified) -> list[Section]:
    """A table of sure answers and the words or characters that carried them, as `explain` gives.

    Args:
        bundle: asked as a caller would ask it.
        texts: (n) the rows' texts, personal data masked.
        scored: the answers to them.
    """
    if not bundle.explains or not scored.rows:
        return []
    sure = scored.probability[np.arange(scored.rows), scored.predicted]
    right = scored.truth == scored.predicted
    short = np.array([0 < len(text) <= _LONGEST for text in texts])
    rows: list[list[JsonValue]] = []
    for wanted, name in ((right, say("right", "正确")), (~right, say("wrong", "错误"))):
        places = np.flatnonzero(wanted & short)
        chosen = places[np.argsort(-sure[places], kind="stable")][:SHOWN].tolist()
        for place, reasons in zip(
            chosen, bundle.explain([{"text": texts[place]} for place in chosen], 5), strict=True
        ):
            carrying = [f"{reason.value} ({reason.contribution:+.2f})" for reason in reasons]
            rows.append(
                [
                    shorten(texts[place]),
                    scored.labels[scored.predicted[place]],
                    name,
                    ", ".join(carrying),
                ]
            )
    if not rows:
        return []
    return [
        Table(
            say("What carried the answers", "回答的依据"),
            [say("text", "文本"), say("answer", "模型回答"), say("which is", "结果"),
             say("carried by (log-odds)", "依据（对数几率）")],
            rows,
            say(
                "What the answered label's log-odds lose when the words are left out; negative "
                "ones spoke against it. A request with explain: true gets the same.",
                "去掉这些词后，所答标签的对数几率减少的量；负值表示不支持该标签。"
                "请求中带 explain: true 可得到同样的结果。",
            ),
        )
    ]  # fmt: skip
