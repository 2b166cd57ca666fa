"""A bundle as a Ray Serve application: the same service in every replica, and no torch in any.

    applications:
    - name: reviews
      import_path: luodi.serving.ray:application
      args: {bundle: bundle, digest: "sha256:..."}

A replica verifies the bundle, proves its golden answers, and only then takes requests; they reach
the very routes, batcher and limits that `luodi serve` has. Ray keeps the port, the replicas and
their number. What it asks now and then to know whether a replica is well goes through the batcher
and the predictor: a replica that cannot answer is started again.

Ray is imported by `application` alone; `luodi export MODEL --ray` writes what deploys it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from luodi.contracts import BusyError, MissingPartError, RegistryError, UsageError, say

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from luodi.registry import Registry
    from luodi.serving.router import Served
    from luodi.serving.service import Service
    from luodi.serving.settings import ServeSettings

DEPLOYMENT = "Model"
"""What the one deployment of the application is called in Ray's own configuration."""
_URGENT = 10
"""Above every class that a caller may ask for: a replica under load is no sick one."""


class Arguments(BaseModel):
    """What the application's `args` say; paths are relative to the working directory.

    Attributes:
        bundle: the bundle's folder.
        digest: what it must be; a bundle of another digest is refused.
        home: where keys, quotas, traffic and feedback lie; nothing is kept where it is not there.
        keys: whether callers need a key. Off is for a port that this machine alone can reach.
        threads, sessions: of a replica; as many as the processors that Ray gave it.
    """

    model_config = ConfigDict(extra="forbid")

    bundle: str = "bundle"
    digest: str | None = None
    home: str = "state"
    keys: bool = True
    threads: int | None = Field(default=None, ge=1)
    sessions: int | None = Field(default=None, ge=1)


def application(args: dict[str, Any]) -> Any:
    """Ray's application builder.

    Args:
        args: as `Arguments` has them.

    Returns:
        A `ray.serve.Application`.

    Raises:
        UsageError: for an argument that there is not.
        MissingPartError: when Ray is not installed.
    """
    try:
        said = Arguments.model_validate(args)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise UsageError(
            say(f"args: {wrong}.", f"args：{wrong}。"),
            say(f"Expected some of {', '.join(Arguments.model_fields)}.",
                f"可用参数：{'、'.join(Arguments.model_fields)}。"),
        ) from None  # fmt: skip
    try:
        from ray import serve
    except ImportError as error:
        raise MissingPartError(
            say("Ray Serve is not installed.", "未安装 Ray Serve。"),
            "",
            "pip install 'luodi[ray]'",
        ) from error
    deployment = serve.deployment(serve.ingress()(Replica), name=DEPLOYMENT)
    return deployment.bind(said.model_dump())


class Replica:
    """One process of the application: a service of one bundle, behind Ray's port.

    Raises:
        BundleError: when the bundle is not what it must be, or does not answer as it did.
        RegistryError: when keys are asked for and there is none.
    """

    def __init__(self, args: dict[str, Any]) -> None:
        said = Arguments.model_validate(args)
        self._service = _built(said)

    def __serve_build_asgi_app__(self) -> Starlette:
        """What answers here: Ray asks its deployments for it by this name."""
        from luodi.serving.http import app

        return app(self._service)

    async def check_health(self) -> None:
        """Answer one request in earnest; what it raises, or that it never ends, is a sick replica.

        Raises:
            Exception: whatever the predictor raises.
        """
        for held in self._service.router.all():
            async with self._service.router.fleet.lease(held) as model:
                await _asked(model)


async def _asked(model: Served) -> None:
    from luodi.bundle.verification import read_golden

    golden = read_golden(model.bundle.folder)[:1]
    requests = model.read([request for request, _ in golden])
    try:
        await model.batcher.answer(requests, priority=_URGENT)
    except BusyError:
        return  # it has too much to do, and does it


def _built(said: Arguments) -> Service:
    """The service of one bundle: checked, loaded, proved."""
    from luodi.bundle import prove, read_manifest, version_of
    from luodi.registry import Registered, Registry
    from luodi.serving.building import Offers, build
    from luodi.serving.router import Offer

    folder = Path(said.bundle).resolve()
    manifest, digest = read_manifest(folder, said.digest)
    registry = Registry(Path(said.home).resolve())
    if said.keys:
        _need_a_key(registry)
    offer = Offer(Registered(manifest.name, version_of(digest), digest, folder))
    service = build(Offers([offer], registry), _settings(said))
    for held in service.router.all():
        if held.served is not None:
            prove(held.served.bundle)
            held.proved = True
    return service


def _settings(said: Arguments) -> ServeSettings:
    from luodi.serving.settings import ServeSettings, divide_cores

    threads, sessions = divide_cores(_processors(), said.threads, said.sessions)
    return ServeSettings(
        threads=threads,
        sessions=sessions,
        keys=said.keys,
        replicated=True,  # on other machines
    )


def _processors() -> int:
    """How many Ray gave this replica: it shares the machine with others."""
    import ray

    given = ray.get_runtime_context().get_assigned_resources().get("CPU", 1.0)
    return max(1, min(int(given), len(os.sched_getaffinity(0))))


def _need_a_key(registry: Registry) -> None:
    from luodi.registry.keys import KeyRing

    if not registry.home.is_dir() or all(key.revoked for key in KeyRing(registry.home).all()):
        raise RegistryError(
            say(f"There is no key in {registry.home}: nobody could ask.",
                f"{registry.home} 中没有密钥，无人可以访问。"),
            say("Expected one, or keys: false where this machine alone can ask.",
                "应至少有一个；若仅本机可访问，可设 keys: false。"),
            say(f"Make one: LUODI_HOME={registry.home} luodi keys add NAME",
                f"请新建：LUODI_HOME={registry.home} luodi keys add 名称"),
        )  # fmt: skip
