"""A build folder for a small image: no torch, no root, nothing to write but its own state."""

from __future__ import annotations

from pathlib import Path

from luodi.bundle.manifest import Manifest
from luodi.contracts import say
from luodi.serving.deployment.parts import copy_luodi, requirements

PORT, USER, STATE = 8000, 10001, "/state"

_DOCKERFILE = """\
# {name}:{version}, made by Luodi {luodi}. docker build -t {name}:{version} .
ARG PYTHON={python}

FROM python:${{PYTHON}}-slim AS packages
COPY requirements.txt /tmp/requirements.txt
# Every package with what it needs is listed with its version: nothing else is to be resolved.
RUN python -m venv /venv \\
    && /venv/bin/pip install --no-cache-dir --no-deps --requirement /tmp/requirements.txt

FROM python:${{PYTHON}}-slim
# hadolint ignore=DL3008
RUN apt-get update \\
    && apt-get install --yes --no-install-recommends libgomp1 \\
    && rm -rf /var/lib/apt/lists/* \\
    && mkdir {state} && chown {user}:{user} {state}
COPY --from=packages /venv /venv
COPY lib /app/lib
COPY bundle /app/bundle
ENV PYTHONPATH=/app/lib PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LUODI_HOME={state}
USER {user}:{user}
VOLUME ["{state}"]
EXPOSE {port}
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \\
    CMD ["/venv/bin/python", "-m", "luodi.serving.probe", "{port}"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/venv/bin/python", "-m", "luodi", "serve", "/app/bundle", \\
    "--host", "0.0.0.0", "--port", "{port}"]
# TLS ends before this container; say --tls-cert and --tls-key instead to end it here. The health
# check speaks either.
CMD ["--proxied"]
"""
_COMPOSE = """\
services:
  {name}:
    build: .
    image: {name}:{version}
    ports: ["127.0.0.1:{port}:{port}"]
    volumes: ["./state:{state}"]
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    restart: unless-stopped
    stop_grace_period: 40s
"""


def write_docker(bundle: Path, manifest: Manifest, version: str, folder: Path) -> list[str]:
    """Fill `folder`; returns the commands that make and run the image."""
    import shutil
    import sys

    from luodi import __version__

    folder.mkdir(parents=True)
    shutil.copytree(bundle, folder / "bundle")
    (folder / "lib").mkdir()
    copy_luodi(folder / "lib")
    (folder / "requirements.txt").write_text("\n".join(requirements(manifest)) + "\n")
    facts = {
        "name": image_name(manifest.name),
        "version": version,
        "luodi": __version__,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "port": PORT,
        "user": USER,
        "state": STATE,
    }
    (folder / "Dockerfile").write_text(_DOCKERFILE.format(**facts))
    (folder / "compose.yaml").write_text(_COMPOSE.format(**facts))
    (folder / ".dockerignore").write_text("state\ncompose.yaml\nREADME.md\n")
    (folder / "README.md").write_text(_readme(facts), "utf-8")
    return [
        f"docker build -t {facts['name']}:{version} {folder}",
        f"LUODI_HOME={folder / 'state'} luodi keys add NAME",
        f"docker compose -f {folder / 'compose.yaml'} up",
    ]


def image_name(model: str) -> str:
    """A model's name as images, containers and Kubernetes may be called: a-z, 0-9 and `-`.

    A name without any of these is called `model`.
    """
    import re

    plain = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")[:50].strip("-")
    return plain or "model"


def _readme(facts: dict[str, object]) -> str:
    name, version = facts["name"], facts["version"]
    return say(
        f"# {name}:{version}\n\n"
        "The service asks for keys. They lie in `state/`, which is mounted at /state:\n\n"
        "    LUODI_HOME=state luodi keys add NAME\n\n"
        f"    docker build -t {name}:{version} .\n"
        "    docker compose up\n\n"
        "`state/` must be writable for user 10001 (chown 10001 state). Nothing else is written.\n",
        f"# {name}:{version}\n\n"
        "服务需要密钥。密钥位于 `state/`，挂载到 /state：\n\n"
        "    LUODI_HOME=state luodi keys add 名称\n\n"
        f"    docker build -t {name}:{version} .\n"
        "    docker compose up\n\n"
        "`state/` 须允许用户 10001 写入（chown 10001 state）。除此之外不写任何文件。\n",
    )
