"""`luodi data ...`: looking at tables. A file a command, loaded only when it is called."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str, str]] = {
    "log": (
        "[RUN | MODEL | BUNDLE]",
        "where a model's rows came from, step by step",
        "查看模型数据的来历：来源、问题、清洗、切分、模型包",
    ),
}
