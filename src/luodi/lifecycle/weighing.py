"""What a model takes in memory: in a process of its own, that has read nothing else.

The process that trains holds torch and much more; what a loaded model adds to it tells little of a
service. So another is started, which loads the model as a service does, and answers with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from luodi.contracts import Request

_SECONDS = 120.0


def weigh(task: str, learner: str, folder: Path, requests: Sequence[Request]) -> int:
    """Bytes of a process that holds the model in `folder` and has answered `requests` with it.

    Raises:
        RuntimeError: when it could not, with its last words.
        OSError: when no process could be started.
    """
    asked = {"task": task, "learner": learner, "folder": str(folder), "requests": list(requests)}
    try:
        done = subprocess.run(  # our own interpreter, our own module
            [sys.executable, "-m", "luodi.lifecycle.weighing"],
            input=json.dumps(asked, default=str).encode(),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"no answer within {_SECONDS:g} s") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(said[-1] if said else f"exit code {done.returncode}")
    return int(json.loads(done.stdout)["bytes"])


def main() -> None:
    """Read what to load from standard input, tell the bytes on standard output."""
    from luodi.serving.fleet import give_back, resident_bytes
    from luodi.tasks import find_task

    asked = json.load(sys.stdin)
    learner = find_task(asked["task"]).learners[asked["learner"]]
    predictor = learner.predictor.load(Path(asked["folder"]), 1)
    predictor.predict(asked["requests"])
    give_back()
    json.dump({"bytes": resident_bytes()}, sys.stdout)


if __name__ == "__main__":
    main()
