"""The labels that a person decided on, before anything else looks at the rows."""

from __future__ import annotations

import hashlib

from luodi.contracts import DataError, Dataset, Finding, say
from luodi.lifecycle.lineage import Origin
from luodi.lifecycle.place import RunPlace


def corrected(run: RunPlace, data: Dataset) -> tuple[Dataset, list[Finding], list[Origin]]:
    """The table as `data.corrections` has it, what was done, and where that came from.

    Raises:
        DataError: the file cannot be read, or names what the table does not have.
    """
    from luodi.contracts import Role
    from luodi.data.corrections import correct, known_labels, read_corrections

    file = run.project.data.corrections
    if file is None:
        return data, [], []
    if run.task.roles[Role.LABEL].kind != "text":
        raise DataError(
            say("data.corrections is given.", "指定了 data.corrections。"),
            say(
                f"The task {run.task.name} has no classes to correct.",
                f"任务 {run.task.name} 没有可更正的类别。",
            ),
        )
    path = run.project.root / file
    corrections = read_corrections(path, file, known_labels(data))
    print_ = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    data, findings = correct(data, run.task.content(data), corrections)
    return data, findings, [Origin("corrections", file, print_, len(corrections.decided))]
