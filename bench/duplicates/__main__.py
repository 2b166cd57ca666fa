"""python -m bench.duplicates: time beside datasketch, recall by brute force; write the results."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.data_peers import peers_python, run_script
from bench.duplicates.brute import pairs_above
from bench.duplicates.texts import make
from bench.finetune.machine import machine

_HERE = Path(__file__).parent
_RESULTS = _HERE.parent / "results"
SIMILARITY = 0.8


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.duplicates", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, default=100_000)
    parser.add_argument(
        "--peer-whole", action="store_true", help="datasketch on all rows too: minutes, gigabytes"
    )
    parser.add_argument("--truth-rows", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=1800)
    parser.add_argument("--output", type=Path, default=_RESULTS)
    options = parser.parse_args(arguments)
    texts = make(options.rows)
    document: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "threads": options.threads,
        "similarity": SIMILARITY,
        "signs_a_text": round(sum(map(len, texts)) / len(texts), 1),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        document["recall"] = _recall(texts[: options.truth_rows], folder, options)
        _write(document, options.output)
        few = texts[: options.peer_rows]
        document["side_by_side"] = _side_by_side(few, folder, options)
        _write(document, options.output)
        document["whole"] = _ours(texts, folder, options)
        if options.peer_whole:
            _write(document, options.output)
            document["whole_peer"] = _peer(texts, folder, options)
    _write(document, options.output)
    print((options.output / "duplicates.md").read_text("utf-8"))
    return 0


def _ours(texts: list[str], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    (folder / "texts").write_text("\n".join(texts), "utf-8")
    return run_script(sys.executable, _HERE / "ours.py", folder / "texts", folder / "ours.npy",
                      str(SIMILARITY), threads=options.threads)  # fmt: skip


def _peer(texts: list[str], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    (folder / "texts").write_text("\n".join(texts), "utf-8")
    try:
        return run_script(
            peers_python(), _HERE / "datasketch_script.py", folder / "texts", folder / "peer.npy",
            str(SIMILARITY), str(options.threads), threads=1 if options.threads == 1 else 2,
            timeout=options.timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"stopped_after": options.timeout}


def _side_by_side(texts: list[str], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Ours before and after the peer: the machine may have changed meanwhile."""
    first, peer, last = (_ours(texts, folder, options), _peer(texts, folder, options),
                         _ours(texts, folder, options))  # fmt: skip
    ours = (first["seconds"] + last["seconds"]) / 2
    found = {"rows": len(texts), "ours": [first, last], "datasketch": peer}
    if "seconds" in peer:
        found["ratio"] = round(peer["seconds"] / ours, 1)
    return found


def _recall(texts: list[str], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Of the pairs at or above the similarity, by brute force: how many stand in one group."""
    left, right = pairs_above(texts, SIMILARITY)
    found: dict[str, Any] = {"rows": len(texts), "pairs": len(left)}
    _ours(texts, folder, options)
    _peer(texts, folder, options)
    for name in ("ours", "peer"):
        place = folder / f"{name}.npy"
        if place.exists():
            groups = np.load(place)
            found[name] = round(float((groups[left] == groups[right]).mean()), 4)
    return found


def _write(document: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (folder / f"duplicates-{document['date']}.json").write_text(text + "\n", "utf-8")
    (folder / "duplicates.md").write_text(_page(document), "utf-8")


def _page(document: dict[str, Any]) -> str:
    lines = [
        "# Near-copies among short texts",
        "",
        f"{document['date']}; Chinese and English, {document['signs_a_text']} signs a text on",
        "average, a tenth of them near-copies; Jaccard similarity 0.8 over the same shingles, 84",
        "permutations in 14 bands of 6 for either; ours are verified pairs, datasketch's",
        f"candidates are taken as they come. {document['threads']} threads (datasketch:",
        "processes), on a machine shared with other work: ratios are to be read, not seconds.",
        "",
    ]
    if recall := document.get("recall"):
        lines.append(
            f"- Recall on {recall['rows']:,} texts, of {recall['pairs']:,} pairs by brute force: "
            f"ours {recall['ours']}, datasketch {recall.get('peer', '-')}."
        )
    if side := document.get("side_by_side"):
        ours = " and ".join(f"{run['seconds']:.1f} s" for run in side["ours"])
        peer = side["datasketch"]
        told = f"{peer['seconds']:.1f} s" if "seconds" in peer else "stopped"
        lines.append(
            f"- {side['rows']:,} texts: ours {ours} (before and after), datasketch {told}: "
            f"{side.get('ratio', '-')} times as long."
        )
    if whole := document.get("whole"):
        lines.append(
            f"- {whole['texts']:,} texts: ours {whole['seconds']:.1f} s, "
            f"{whole['peak_mib']:.0f} MiB at the peak."
        )
    if whole and (peer := document.get("whole_peer")):
        if "seconds" in peer:
            ratio = peer["seconds"] / whole["seconds"]
            told = f"{peer['seconds']:.0f} s, {ratio:.1f} times as long"
            told += f", {peer['peak_mib']:.0f} MiB in its main process alone"
        else:
            told = f"not done after {peer['stopped_after']:.0f} s"
        lines.append(f"- The same with datasketch: {told}.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
