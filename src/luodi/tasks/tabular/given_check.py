"""Is a LightGBM text whole? Its library ends the process where one is not, and may never return
from a tree that runs in circles: a stranger's file is read here, and tried in a process apart,
before this one opens it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from luodi.contracts import BaseModelError, say

_SECONDS = 120
_TRIAL = """
import sys
import numpy as np
from pathlib import Path
from luodi.tasks.tabular.lightgbm_library import Trees
trees = Trees(Path(sys.argv[1]).read_text("utf-8"))
rows = np.stack([np.full(trees.features, value) for value in (0.0, 1e9, -1e9, np.nan)])
trees.raw(rows), trees.raw(rows[:1]), trees.contributions(rows)
"""


def check_text(text: str, path: Path) -> None:
    """Refuse a text that is cut off or mangled.

    Raises:
        BaseModelError: naming what is wrong.
    """
    head, *trees = text.split("\nTree=")
    features = len(_values(head).get("feature_names", "").split())
    if not trees or "end of trees" not in trees[-1]:
        raise _broken(
            path, say("it is cut off: its last lines are missing.", "文件不完整：缺少末尾。")
        )
    for number, body in enumerate(trees):
        stated, _, rest = body.partition("\n")
        try:
            if int(stated) != number:
                raise ValueError(say(f"tree {stated}", f"第 {stated} 棵树"))
            _check_tree(_values(rest.partition("\n\n")[0]), features)
        except (KeyError, ValueError) as error:
            raise _broken(
                path, say(f"tree {number} is broken: {error}.", f"第 {number} 棵树损坏：{error}。")
            ) from None
    _try_apart(path)


def _values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _check_tree(tree: Mapping[str, str], features: int) -> None:
    """Every inner node is reached once, every leaf too, and every column is there."""
    leaves = int(tree["num_leaves"])
    if leaves < 1 or len(tree["leaf_value"].split()) != leaves:
        raise ValueError(f"num_leaves={leaves}")
    if leaves == 1:
        return
    left, right, columns = (
        [int(item) for item in tree[name].split()]
        for name in ("left_child", "right_child", "split_feature")
    )
    children = [*left, *right]
    wanted = [*range(-leaves, 0), *range(1, leaves - 1)]
    if len(left) != leaves - 1 or len(right) != leaves - 1 or sorted(children) != wanted:
        raise ValueError("left_child, right_child")
    if len(columns) != leaves - 1 or not all(0 <= column < features for column in columns):
        raise ValueError("split_feature")
    # Reached once each, and from an earlier one: no way leads back.
    if any(
        child > 0 and child <= node for side in (left, right) for node, child in enumerate(side)
    ):
        raise ValueError(say("nodes in circles", "节点成环"))


def _try_apart(path: Path) -> None:
    """Load it, and answer four rows, in a process that may end.

    Raises:
        BaseModelError: it ended, or did not come back.
    """
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, our own script
            [sys.executable, "-c", _TRIAL, str(path)],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _broken(
            path, say(f"no answer within {_SECONDS} s.", f"{_SECONDS} 秒内没有回答。")
        ) from None
    if done.returncode:
        told = (done.stderr + done.stdout).decode("utf-8", "replace").strip().splitlines()
        found = f"exit {done.returncode}, {told[-1][:200] if told else ''}"
        raise _broken(
            path,
            say(f"LightGBM's library cannot read it ({found}).", f"LightGBM 无法读取（{found}）。"),
        )


def _broken(path: Path, found: str) -> BaseModelError:
    return BaseModelError(
        say(f"{path} cannot be taken over: {found}", f"无法接管 {path}：{found}"),
        say(
            "Expected the whole of what booster.save_model wrote.",
            "应为 booster.save_model 写出的完整文件。",
        ),
    )
