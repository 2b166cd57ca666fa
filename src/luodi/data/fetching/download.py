"""One file at an address; a broken download goes on where it broke, while the file is the same."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from luodi.contracts import DataError, Progress, say
from luodi.data.fetching.web import BrokenAnswerError, Web
from luodi.project.sources import DownloadSource

_LARGEST = 64 << 30
_KINDS = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "text/plain": ".txt",
}


def download(
    source: DownloadSource, address: str, web: Web, folder: Path, progress: Progress
) -> Path:
    """The file, under a name that tells how it is read.

    Args:
        address: with its secrets.

    Raises:
        DataError: no answer, or one over 64 GiB.
    """
    for attempt in range(web.manners.retries + 1):
        try:
            return _go_on(source, address, web, folder, progress)
        except BrokenAnswerError:
            if attempt == web.manners.retries:
                raise
            time.sleep(min(0.5 * 2**attempt, 30))
    raise AssertionError("unreachable")


def _go_on(
    source: DownloadSource, address: str, web: Web, folder: Path, progress: Progress
) -> Path:
    part, note = folder / "download.part", folder / "download.json"
    kept = part.stat().st_size if part.exists() else 0
    known = json.loads(note.read_text("utf-8")) if note.exists() else {}
    extra = {"Accept_Encoding": "identity"}
    if kept and known.get("mark"):
        # Without a strong mark of its version a half file may belong to another whole.
        extra |= {"Range": f"bytes={kept}-", "If_Range": known["mark"]}
    response = web.open(address, **extra)
    try:
        begins = response.status == 206
        mark = response.headers.get("etag") or response.headers.get("last-modified") or ""
        name = _name(source, response.headers.get("content-type", ""))
        mark = "" if mark.startswith("W/") else mark
        note.write_text(json.dumps({"mark": mark}), "utf-8")
        size = kept if begins else 0
        whole = size + int(response.headers.get("content-length") or 0)
        with part.open("ab" if begins else "wb") as file:
            for block in web.blocks(response, address):
                size += len(block)
                if size > _LARGEST:
                    raise DataError(
                        say(f"{source} is larger than {_LARGEST >> 30} GiB.",
                            f"{source} 超过 {_LARGEST >> 30} GiB。")
                    )  # fmt: skip
                file.write(block)
                progress.step(size, max(whole, size), f"{size >> 20} MiB")
            file.flush()
            os.fsync(file.fileno())
    finally:
        response.close()
    note.unlink()
    return part.rename(folder / name)


def _name(source: DownloadSource, kind: str) -> str:
    """The file's name, safe as one, with the ending by which it is read."""
    path = unquote(urlsplit(source.download).path)
    name = PurePosixPath(path).name.replace("\0", "").lstrip(".")[-120:] or "rows"
    if source.format:
        return f"{PurePosixPath(name).stem}.{source.format}"
    if "." not in name:
        return name + _KINDS.get(kind.partition(";")[0].strip().lower(), ".csv")
    return name
