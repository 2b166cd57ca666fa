"""Opening a bundle: digests first, everything else after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.bundle.check import check_files
from luodi.bundle.manifest import Manifest, version_of
from luodi.bundle.seals import DIGEST, MANIFEST, digest_of, read_digest, read_file, read_object
from luodi.contracts import (
    Answer,
    BundleError,
    Explainer,
    JsonValue,
    Lean,
    LuodiError,
    Predictor,
    Reason,
    Request,
    RequestError,
    Schema,
    say,
)

if TYPE_CHECKING:
    from luodi.data.preparation import Preparation


@dataclass(frozen=True)
class LoadedBundle:
    """A bundle that was checked and loaded, ready to answer."""

    folder: Path
    digest: str
    manifest: Manifest
    schema: Schema
    preparation: Preparation
    predictor: Predictor

    @property
    def version(self) -> str:
        """The first 12 hex digits of the digest."""
        return version_of(self.digest)

    def read(
        self, values: Sequence[JsonValue], where: Callable[[int], str] = "inputs[{}]".format
    ) -> list[Request]:
        """Values as a caller sent them -> requests for `answer`.

        Args:
            where: how an error names the value at an index.

        Raises:
            RequestError: naming the field that does not fit the schema.
        """
        read, unfold = self.schema.read, self.preparation.unfold
        known = {field.name for field in self.schema.request}
        return self.preparation.apply(
            [
                read(unfold(value, known, where(index)), where(index))
                for index, value in enumerate(values)
            ]
        )

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a prepared request, in order."""
        return self.predictor.predict(requests)

    def predict(self, values: Sequence[JsonValue]) -> list[Answer]:
        """Values as a caller sent them -> answers: the one way in which a bundle is judged,
        verified and served.
        """
        return self.answer(self.read(values))

    @property
    def by_field(self) -> bool:
        """Whether each field is read by itself, and as it came: then requests that were read once
        may change fields among them and be answered without being read again.
        """
        return not self.preparation.steps and self.preparation.history is None

    @property
    def explains(self) -> bool:
        """Whether the model can say why."""
        return isinstance(self.predictor, Explainer)

    def explain(self, values: Sequence[JsonValue], most: int = 5) -> list[list[Reason]]:
        """The weightiest reasons of each answer, in the order of the values.

        Raises:
            RequestError: naming the field that does not fit the schema, or `explain` when the
                model cannot say why.
        """
        return self.reasons(self.read(values), most)

    def reasons(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """As `explain`, of requests that `read` has prepared."""
        if isinstance(self.predictor, Explainer):
            outward = self.preparation.outward
            told = self.predictor.explain(requests, most)
            return [[outward(reason) for reason in reasons] for reasons in told]
        learner = self.manifest.learner
        raise RequestError(
            "explain",
            say(f"the learner {learner} gives no reasons.", f"学习器 {learner} 不提供依据。"),
            say("Ask without explain.", "请去掉 explain 再请求。"),
        )


def read_manifest(folder: Path, expected_digest: str | None = None) -> tuple[Manifest, str]:
    """The manifest and its digest, which were found to agree.

    Raises:
        BundleError: when `folder` is no bundle, or the manifest is not what its digest says.
    """
    if not folder.is_dir():
        raise BundleError(
            say(f"There is no folder {folder}.", f"没有文件夹 {folder}。"),
            say("Expected a bundle.", "应为模型包。"),
        )
    stated = read_digest(folder)
    data = read_file(folder / MANIFEST)
    found = digest_of(data)
    for name, expected in ((DIGEST, stated), (say("the caller", "调用方"), expected_digest)):
        if expected is not None and expected != found:
            raise BundleError(
                say(
                    f"{folder / MANIFEST} has the digest {found}.",
                    f"{folder / MANIFEST} 的摘要是 {found}。",
                ),
                say(f"By {name} it is {expected}.", f"按 {name} 应为 {expected}。"),
                say(
                    "The bundle was changed or is another one; take it from its source again.",
                    "模型包被改动过或不是同一个，请从来源重新获取。",
                ),
            )
    return Manifest.from_bytes(data, folder / MANIFEST), found


def read_data(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """What a bundle says of its rows: fingerprints, counts, lineage; checked by its seal.

    Raises:
        BundleError: when the file is not what the manifest says.
    """
    path = folder / "data.json"
    raw = read_file(path)
    if digest_of(raw) != f"sha256:{manifest.files['data.json'].sha256}":
        raise BundleError(
            say(f"{path} is not what its manifest says.", f"{path} 与清单不符。"),
            say("The bundle was changed.", "模型包被改动过。"),
            say(f"luodi verify {folder} tells all.", f"luodi verify {folder} 可查看全部问题。"),
        )
    return read_object(raw, path)


def open_predictor(
    folder: Path, threads: int = 1, expected_digest: str | None = None
) -> LoadedBundle:
    """Check every digest of the bundle at `folder`, then load it.

    Args:
        threads: how many threads one call of the predictor may use.
        expected_digest: what the registry, or the reader, knows the bundle by.

    Raises:
        BundleError: naming the file that is not what the manifest says; nothing of the bundle
            was parsed or loaded then but the manifest.
    """
    manifest, digest = read_manifest(folder, expected_digest)
    wrong = [check for check in check_files(folder, manifest, digest) if not check.ok]
    if wrong:
        raise BundleError(
            wrong[0].problem,
            say("The bundle was refused; nothing was loaded.", "已拒绝该模型包，未加载任何内容。"),
            say(f"luodi verify {folder} tells all.", f"luodi verify {folder} 可查看全部问题。"),
        )
    return load_checked(folder, threads, manifest, digest)


def load_checked(folder: Path, threads: int, manifest: Manifest, digest: str) -> LoadedBundle:
    """Load a bundle whose files were checked already."""
    from luodi.data.preparation import Preparation
    from luodi.tasks import find_task

    task, name = find_task(manifest.task), manifest.learner
    try:
        kind = task.predictor(name) if isinstance(task, Lean) else task.learners[name].predictor
    except KeyError:
        if name in task.learners:
            raise
        raise BundleError(
            say(
                f"The bundle is of the learner {manifest.learner}.",
                f"该模型包来自学习器 {manifest.learner}。",
            ),
            say(
                f"The task {manifest.task} has: {', '.join(task.learners)}.",
                f"任务 {manifest.task} 的学习器：{'、'.join(task.learners)}。",
            ),
            say("Install the version that made it.", "请安装制作它的版本。"),
        ) from None
    schema, preparation = folder / "schema.json", folder / "preparation.json"
    try:
        steps = Preparation.from_json(read_object(read_file(preparation), preparation))
        steps.check()
        return LoadedBundle(
            folder=folder,
            digest=digest,
            manifest=manifest,
            schema=Schema.from_json(read_object(read_file(schema), schema)),
            preparation=steps,
            predictor=_load(kind, folder / "model", threads),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BundleError(
            say(
                f"{folder} is as sealed, but of another form: {error!r}.",
                f"{folder} 与封存时一致，但形式不符：{error!r}。",
            ),
            "",
            say("Use the version of Luodi that wrote it.", "请使用写入它的 Luodi 版本。"),
        ) from error


def _load(kind: type[Predictor], model: Path, threads: int) -> Predictor:
    try:
        return kind.load(model, threads)
    except LuodiError:
        raise
    except Exception as error:
        # A predictor may be a stranger's: whatever it raises must reach the reader in words.
        raise BundleError(
            say(
                f"{model} is as sealed, but {kind.__name__} could not load it: {error!r}.",
                f"{model} 与封存时一致，但 {kind.__name__} 无法加载：{error!r}。",
            ),
            "",
            say(
                "Install the packages of the bundle's environment.json.",
                "请按模型包的 environment.json 安装软件包。",
            ),
        ) from error
