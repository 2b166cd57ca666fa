"""The demo: real Chinese reviews become a judged, served model; two questions are asked.

Run by `make demo`. It only calls the commands that a reader would type, and shows each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

LUODI = [str(Path(sys.executable).parent / "luodi")]
FOLDER = Path("build/demo/reviews")
QUESTIONS = ["质量很好，物流也快，会推荐给朋友", "用了两天就坏了，客服还不理人"]


def show(*arguments: str) -> None:
    """Run a command where the reader can see it; stop the demo when it fails."""
    print(f"\n$ luodi {' '.join(arguments)}", flush=True)
    done = subprocess.run([*LUODI, *arguments], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    """New, check, run, serve, ask, stop."""
    started = time.monotonic()
    asked = ("data.limit=null", "model.budget=30m", "model.refit=true")
    full = [word for one in asked for word in ("--set", one)] if os.environ.get("FULL") else []
    if not (FOLDER / "luodi.yaml").exists():
        show("new", str(FOLDER), "--solution", "reviews")
    show("check", str(FOLDER), *full)
    show("run", str(FOLDER), *full)
    ask()
    report = json.loads(
        subprocess.run(
            [*LUODI, "report", "--project", str(FOLDER), "--json"], check=True, capture_output=True
        ).stdout
    )["report"]
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    print(f"\nThe report: {report}")
    print(f"The demo took {minutes} min {seconds} s.")


def ask() -> None:
    """Start the service, ask two questions, show the answers, stop the service."""
    command = ["serve", "--port", "0", "--json", "--project", str(FOLDER)]
    print(f"\n$ luodi {' '.join(command)}", flush=True)
    service = subprocess.Popen([*LUODI, *command], stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout is not None
        ready = json.loads(service.stdout.readline())
        print(f"ready at {ready['url']} in {ready['seconds']:.1f} s")
        url = f"{ready['url']}/predict/review-sentiment"
        body = json.dumps({"inputs": QUESTIONS}, ensure_ascii=False)
        print(f"\n$ curl {url} -H 'Content-Type: application/json' -d '{body}'")
        request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
        print(json.dumps(told, ensure_ascii=False))
        for text, output in zip(QUESTIONS, told["outputs"], strict=True):
            label = output["label"]
            print(f'    "{text}"   {label} {output["probabilities"][label]:.3f}')
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=20)
    print("The service has stopped.")


if __name__ == "__main__":
    main()
