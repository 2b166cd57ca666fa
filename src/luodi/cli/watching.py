"""A terminal that watches a run: a line a stage, and the moving line of the one at work."""

from __future__ import annotations

import sys

from luodi.cli.output import TerminalProgress, duration
from luodi.contracts import Progress, say

TITLES = {
    "collect": ("Collect", "收集数据"),
    "inspect": ("Inspect", "检查数据"),
    "prepare": ("Prepare", "清洗数据"),
    "augment": ("Make rows to learn from", "数据增强"),
    "doubt": ("Doubt the labels", "核查标签"),
    "split": ("Split", "切分数据"),
    "mend": ("Mend", "修补数据"),
    "distil": ("Teach a smaller model", "蒸馏出较小的模型"),
    "student": ("Hold it against its teacher", "与教师模型比较"),
    "form": ("Choose the form", "选择部署形式"),
    "form-refit": ("Make the form once more", "重新生成部署形式"),
    "package": ("Package", "打包"),
    "evaluate": ("Evaluate", "评估"),
    "leak": ("Show the leak", "展示泄漏"),
}


def title(stage: str) -> str:
    """A stage's name for people."""
    if stage.startswith("train-"):
        learner = stage.removeprefix("train-")
        return say(f"Train {learner}", f"训练 {learner}")
    if stage.startswith("refit-"):
        learner = stage.removeprefix("refit-")
        return say(f"Train {learner} once more, on all rows", f"用全部行重新训练 {learner}")
    if stage.startswith("fold-"):
        number = stage.removeprefix("fold-")
        return say(f"Fold {number}", f"第 {number} 折")
    return say(*TITLES.get(stage, (stage, stage)))


class TerminalObserver:
    """Prints to stderr, so that stdout keeps the one document that was asked for."""

    def __init__(self, silent: bool = False) -> None:
        self.silent = silent
        self._progress: TerminalProgress | None = None

    def begin(self, stage: str) -> Progress:
        """A stage begins."""
        self._close()
        self._progress = TerminalProgress(title(stage), self.silent)
        return self._progress

    def end(self, stage: str, seconds: float, reused: bool) -> None:
        """A stage has ended."""
        self._close()
        note = say("done before", "此前已完成") if reused else duration(seconds)
        self._print(f"✓ {title(stage)}  ({note})")

    def broken(self, stage: str, seconds: float, stopped: bool) -> None:
        """A stage has failed, or was stopped."""
        self._close()
        how = say("stopped after", "已停止，用时") if stopped else say("failed after", "失败，用时")
        self._print(f"{'–' if stopped else '✗'} {title(stage)}  ({how} {duration(seconds)})")

    def tell(self, message: str) -> None:
        """A sentence between stages."""
        self._close()
        self._print(message)

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def _print(self, text: str) -> None:
        if not self.silent:
            print(text, file=sys.stderr, flush=True)
