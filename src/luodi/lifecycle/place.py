"""Where a run happens: its folder, its stages, and how it is found again after a kill."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from luodi.contracts import Language, Task, say
from luodi.lifecycle.speaking import Speaking
from luodi.lifecycle.stages import Observer, Stages, key_of, read_json, write_json
from luodi.project.catalogue import find_task
from luodi.project.home import home_folder
from luodi.project.schema import Project

STATE = "run.json"
RESULT = "result.json"


@dataclass(frozen=True)
class RunPlace:
    """One run: what it is about and where its things are.

    Attributes:
        home: the state folder of the project; `stages/` and `bundles/` stand in it.
        folder: the run's own folder, with result.json and report.html once it is done.
    """

    id: str
    project: Project
    task: Task
    home: Path
    folder: Path
    stages: Stages
    observer: Observer
    language: Language

    @property
    def threads(self) -> int:
        """How many threads the work may use."""
        return self.project.model.threads or _cores()

    def finish(self) -> None:
        """The run is over: the same command begins a new one."""
        state = read_json(self.folder / STATE)
        write_json(self.folder / STATE, {**state, "finished": True})


def open_check(project: Project, observer: Observer, language: Language) -> RunPlace:
    """A place to look at the data without a run: what it finds out, a later run finds done."""
    home = home_folder(project.root)
    observer = Speaking(observer)
    stages = Stages(home / "stages", observer)
    return RunPlace("", project, find_task(project.task), home, home, stages, observer, language)


def open_run(project: Project, observer: Observer, language: Language) -> RunPlace:
    """The unfinished run of this very project file, or a new one.

    The language of its words is no part of what a run is: another shell's goes on with it.
    """
    observer = Speaking(observer)
    home = home_folder(project.root)
    runs = home / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    key = key_of(project.model_dump(mode="json", exclude={"language"}))
    run_id = _unfinished(runs, key)
    if run_id:
        observer.tell(say(f"Going on with run {run_id}.", f"继续运行 {run_id}。"))
    else:
        run_id = _new_folder(runs, f"{time.strftime('%Y%m%d-%H%M%S')}-{key[:6]}")
        write_json(
            runs / run_id / STATE,
            {"key": key, "started": time.time(), "finished": False, "project": str(project.path)},
        )
    stages = Stages(home / "stages", observer)
    task = find_task(project.task)
    return RunPlace(run_id, project, task, home, runs / run_id, stages, observer, language)


def _unfinished(runs: Path, key: str) -> str:
    for folder in sorted(runs.iterdir(), reverse=True):
        if not (folder / STATE).is_file():
            continue
        state = read_json(folder / STATE)
        if state["key"] == key and not state["finished"]:
            return folder.name
    return ""


def _new_folder(runs: Path, name: str) -> str:
    for number in range(1, 1000):
        unique = name if number == 1 else f"{name}-{number}"
        try:
            (runs / unique).mkdir()
        except FileExistsError:
            continue
        return unique
    raise FileExistsError(runs / name)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def finished_runs(home: Path) -> list[Path]:
    """The folders of the runs that came to an end, the newest last."""
    return sorted(path.parent for path in (home / "runs").glob(f"*/{RESULT}"))
