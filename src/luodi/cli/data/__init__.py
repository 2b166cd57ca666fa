"""`luodi data ...`: looking at tables. A file a command, loaded only when it is called."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str, str]] = {
    "profile": (
        "FILE [--label COLUMN]",
        "look at any table: columns, findings, worst rows; a page to read",
        "查看任意表格：各列概况、发现的问题、最差的行，并生成页面",
    ),
    "log": (
        "[RUN | MODEL | BUNDLE]",
        "where a model's rows came from, step by step",
        "查看模型数据的来历：来源、问题、清洗、切分、模型包",
    ),
    "diff": (
        "A B",
        "compare two tables: schema, counts, drift",
        "比较两个数据表：结构、数量、漂移",
    ),
    "fetch": (
        "[PROJECT]",
        "collect the project's sources from afar again",
        "重新收集项目的远程数据源",
    ),
}
