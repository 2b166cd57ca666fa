"""Which model answers: names and versions to the batcher of a loaded bundle."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from luodi.bundle import LoadedBundle
from luodi.contracts import Answer, JsonValue, RegistryError, Request, say
from luodi.serving.batcher import Batcher
from luodi.serving.settings import Limits


class Served:
    """One version of a model, answering."""

    def __init__(
        self, bundle: LoadedBundle, limits: Limits, observe: Callable[[int], None]
    ) -> None:
        self.bundle = bundle
        self.name, self.version = bundle.manifest.name, bundle.version
        self._executor = ThreadPoolExecutor(1, f"predict-{self.name}")
        self.batcher = Batcher(
            bundle.answer,
            bundle.predictor.cost,
            _bounded(limits, bundle.manifest.serving),
            self._executor,
            observe,
        )

    def read(
        self, values: Sequence[JsonValue], where: Callable[[int], str] = "inputs[{}]".format
    ) -> tuple[list[Request], list[int]]:
        """Values -> checked requests and their costs. Safe in any thread.

        Raises:
            RequestError: naming the field that does not fit.
        """
        requests = self.bundle.read(values, where)
        return requests, self.batcher.costs(requests)

    async def answer(self, requests: Sequence[Request], costs: Sequence[int]) -> list[Answer]:
        """One answer a request, in order."""
        return await self.batcher.answer(requests, costs)

    def close(self) -> None:
        """Let the thread go, once what it computes is done."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class Router:
    """The models of one service; the version that was named first is a model's default."""

    def __init__(self, models: Sequence[Served]) -> None:
        self._models: dict[str, dict[str, Served]] = {}
        for model in models:
            self._models.setdefault(model.name, {}).setdefault(model.version, model)

    def find(self, name: str, version: str | None = None) -> Served:
        """The model that answers for this name, and version when one is asked for.

        Raises:
            RegistryError: with what is served, and the nearest name.
        """
        versions = self._models.get(name)
        if versions is None:
            raise RegistryError(
                say(f"No model {_shown(name)} is served here.", f"此处没有模型 {_shown(name)}。"),
                say(f"There are: {', '.join(self._models)}.", f"已有：{'、'.join(self._models)}。"),
                _nearest(name, self._models),
            )
        if version is None:
            return next(iter(versions.values()))
        if version not in versions:
            raise RegistryError(
                say(
                    f"{name} is not served in version {_shown(version)}.",
                    f"{name} 没有提供版本 {_shown(version)}。",
                ),
                say(f"There are: {', '.join(versions)}.", f"已有：{'、'.join(versions)}。"),
            )
        return versions[version]

    def versions(self, name: str) -> list[str]:
        """The versions served of a model, the default first."""
        return list(self._models[self.find(name).name])

    def all(self) -> list[Served]:
        """Every version of every model, defaults first."""
        return [model for versions in self._models.values() for model in versions.values()]

    def defaults(self) -> list[Served]:
        """The default version of each model."""
        return [next(iter(versions.values())) for versions in self._models.values()]


def _bounded(limits: Limits, wanted: Mapping[str, JsonValue]) -> Limits:
    """The limits, with what the project file's `serve:` says of this model."""
    batch = wanted.get("max_batch")
    return replace(limits, batch=batch) if isinstance(batch, int) and batch > 0 else limits


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:57] + "...")


def _nearest(name: str, there: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name[:100], there, n=1)
    return say(f"Did you mean {near[0]}?", f"是否想用 {near[0]}?") if near else ""
