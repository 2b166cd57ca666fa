"""The labelled texts: our own Chinese ones, and presidio_synth."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from bench.privacy.chinese import Labelled, chinese
from bench.privacy.lookalikes import half, lookalikes

FOLDER_VARIABLE = "LUODI_BENCH_PII"
JUDGED, CHOSEN = ", judged half", ", chosen on"
_BESIDE = "../shared/data/pii/presidio_synth"
_ROOT = Path(__file__).parents[2]
_KINDS = {
    "PERSON": "NAME",
    "STREET_ADDRESS": "ADDRESS",
    "ADDRESS": "ADDRESS",
    "CREDIT_CARD": "BANK_CARD",
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
}
# "Dr." before a name is labelled with it in one of the files and not in the other.
_TITLE = re.compile(r"(?:mr|mrs|ms|miss|dr|prof)\.?(?:\s+|$)", re.IGNORECASE)


def synth_folder() -> Path | None:
    """Where presidio_synth lies; None where it does not."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or _ROOT / _BESIDE)
    return folder if (folder / "synth_dataset_v2.json").is_file() else None


def presidio_synth(folder: Path, name: str, part: str | None = None) -> list[Labelled]:
    """The texts of a file of presidio_synth (MIT), its labels in our words, titles left out.

    Of the `dev` or the `judged` half by a digest of the text, or of both.
    """
    rows = json.loads((folder / f"{name}.json").read_text("utf-8"))
    texts = [Labelled(row["full_text"], tuple(_spans(row))) for row in rows]
    return [text for text in texts if part in (None, half(text.text))]


def _spans(row: dict) -> list[tuple[str, int, int]]:  # type: ignore[type-arg]
    spans = []
    for span in row["spans"]:
        kind = _KINDS.get(span["entity_type"])
        start, end = span["start_position"], span["end_position"]
        if kind == "NAME" and (title := _TITLE.match(row["full_text"][start:end])):
            start += title.end()
        if kind and start < end:
            spans.append((kind, start, end))
    return spans


def tables() -> dict[str, list[Labelled]]:
    """Every set that is at hand, by name; those that something was chosen on say so."""
    made = {
        "chinese, held out": chinese("test", 2000, 1),
        f"chinese{CHOSEN}": chinese("dev", 1000, 1),
        f"chinese look-alikes{JUDGED}": _nobody("judged"),
        f"chinese look-alikes{CHOSEN}": _nobody("dev"),
    }
    if folder := synth_folder():
        for name in ("synth_dataset_v2", "generated_large"):
            made[f"{name}{JUDGED}"] = presidio_synth(folder, name, "judged")
        for name in ("synth_dataset_v2", "generated_large"):
            made[f"{name}{CHOSEN}"] = presidio_synth(folder, name, "dev")
    return made


def _nobody(part: str) -> list[Labelled]:
    return [Labelled(text, ()) for text in lookalikes(part, 1)]
