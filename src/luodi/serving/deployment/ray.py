"""A folder that Ray Serve deploys: the bundle, Luodi, and a configuration that scales by itself."""

from __future__ import annotations

from pathlib import Path

from luodi.bundle.manifest import Manifest
from luodi.contracts import MissingPartError, say
from luodi.serving.deployment.docker import PORT, image_name
from luodi.serving.deployment.parts import copy_luodi, installed, requirements
from luodi.serving.ray import DEPLOYMENT

CONFIG = "serve.yaml"
OLDEST = "2.60"
"""The oldest Ray whose Serve takes an application that is built in the replica."""
_MEMORY = 256 * 1024 * 1024
"""What a replica takes beside its model: Ray's own worker is the greater part of it."""
_CONFIG = """\
# {name}:{version}, made by Luodi {luodi}. In this folder: serve run {config}
proxy_location: EveryNode
http_options:
  host: 127.0.0.1  # 0.0.0.0 where other machines are to ask
  port: {port}
applications:
- name: {name}
  route_prefix: /
  import_path: luodi.serving.ray:application
  args:
    bundle: bundle
    digest: {digest}
    home: state  # luodi keys add NAME, with LUODI_HOME at this folder's state
    keys: true  # false only where nobody but this machine can ask
  runtime_env:
    # This folder, at the same place on every node; or a zip of it: s3://..., https://...
    working_dir: {place}
    env_vars: {{PYTHONPATH: lib}}
  deployments:
  - name: {deployment}
    autoscaling_config:
      min_replicas: 2
      max_replicas: 10
      # Being answered or waiting: a few batches' worth. Fewer answer sooner, more cost less.
      target_ongoing_requests: 8
      upscale_delay_s: 5
      downscale_delay_s: 300
    # A replica itself refuses what it cannot answer in time, with words and Retry-After: Ray need
    # not hold requests back from it.
    max_ongoing_requests: 256
    max_queued_requests: 1024
    health_check_period_s: 10
    health_check_timeout_s: 10
    graceful_shutdown_wait_loop_s: 1
    graceful_shutdown_timeout_s: 40
    ray_actor_options:
      num_cpus: 1
      memory: {memory}
"""


def write_ray(
    bundle: Path, manifest: Manifest, version: str, digest: str, folder: Path
) -> list[str]:
    """Fill `folder`; returns the commands that deploy it."""
    import shutil

    from luodi import __version__

    folder.mkdir(parents=True)
    shutil.copytree(bundle, folder / "bundle")
    (folder / "lib").mkdir()
    copy_luodi(folder / "lib")
    lines = [*requirements(manifest), _ray()]
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n")
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    facts = {
        "name": image_name(manifest.name),
        "version": version,
        "luodi": __version__,
        "config": CONFIG,
        "port": PORT,
        "digest": f'"{digest}"',
        "place": f"'{_address(folder)}'",
        "deployment": DEPLOYMENT,
        "memory": _MEMORY + 3 * size,
    }
    (folder / CONFIG).write_text(_CONFIG.format(**facts), "utf-8")
    (folder / "README.md").write_text(_readme(facts), "utf-8")
    return [
        f"LUODI_HOME={folder / 'state'} luodi keys add NAME",
        f"serve run {folder / CONFIG}",
        f"serve deploy {folder / CONFIG}",
    ]


def _address(folder: Path) -> str:
    """The folder as Ray's configuration names one that is on every node already."""
    return f"local://{folder.resolve()}".replace("'", "''")


def _ray() -> str:
    """Ray's line among the requirements: the version here, else the oldest that will do."""
    try:
        return f"ray[serve]=={installed('ray')}"
    except MissingPartError:
        return f"ray[serve]>={OLDEST}"


def _readme(facts: dict[str, object]) -> str:
    name, version, port = facts["name"], facts["version"], facts["port"]
    start = (
        "    pip install -r requirements.txt\n"
        "    LUODI_HOME=state luodi keys add {key}\n"
        "    serve run serve.yaml        # {here}\n"
        "    serve deploy serve.yaml     # {there}\n\n"
        f"    curl http://127.0.0.1:{port}/v2/health/ready\n\n"
    )
    return say(
        f"# {name}:{version} on Ray Serve\n\n"
        + start.format(key="NAME", here="a Ray of its own", there="a cluster that runs")
        + "In Kubernetes `serve.yaml` is the `serveConfigV2` of KubeRay's RayService.\n\n"
        "Every node needs the packages, the same Python, and this folder at the path that\n"
        "`working_dir` names: in its image or on a shared disk; or put a zip of the folder where\n"
        "all can fetch it, and name that. The keys lie in `state/`: treat it, and such a zip, as\n"
        "a secret. Traffic and feedback are kept there too, a machine's on that machine.\n\n"
        "`/metrics` tells of the one replica that it reached; Ray's own metrics tell of all.\n"
        "Limits of a key hold for the replicas of a machine together.\n",
        f"# {name}:{version}，运行于 Ray Serve\n\n"
        + start.format(key="名称", here="独立的 Ray", there="已运行的集群")
        + "在 Kubernetes 中，`serve.yaml` 即 KubeRay 的 RayService 的 `serveConfigV2`。\n\n"
        "每个节点都需要这些软件包、相同版本的 Python，以及位于 `working_dir` 所指路径的\n"
        "本文件夹：可放在镜像或共享磁盘中；也可把它打成 zip 放到各节点都能取得之处，\n"
        "并填写其地址。\n"
        "密钥位于 `state/`：请将其（以及含有它的 zip）视为机密。\n"
        "流量与反馈也保存在那里，各机器各自保存。\n\n"
        "`/metrics` 只反映所到达的那个副本；全部副本的指标见 Ray 自身的指标。\n"
        "密钥的限额由同一机器上的副本共同遵守。\n",
    )
