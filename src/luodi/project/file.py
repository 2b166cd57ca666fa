"""luodi.yaml -> Project: every mistake in one go, each with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from luodi.contracts import Language, Mistake, ProjectError, UsageError, say, use_language
from luodi.contracts.language import chosen_language
from luodi.project.catalogue import find_task, task_names
from luodi.project.mistakes import task_mistakes
from luodi.project.places import Places
from luodi.project.schema import Project

FILE = "luodi.yaml"
_LARGEST = 1_000_000
_POWER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)[eE][-+]?\d+")
"""1e-4, which YAML 1.2 calls a number and PyYAML, which keeps to 1.1, a text."""
_OPEN = re.compile(r"model\.options\b|data\.clean\b.*\bfill$")
"""Where a text would do as well: elsewhere a number is read as what the setting is."""
_COLUMNS = re.compile(
    r"data\.(columns|leaks\.allow|split\.(group|time)$|anonymity\.(quasi|sens)|history\.(group|time|col))"
)
"""Where columns are named: No is a column's name, and so is 2024."""
_LABELS = re.compile(r"data\.(positive|favourable|labels)\b")
"""Where labels are named: yes is a label, as it stands in the table."""


@dataclass(frozen=True)
class Reading:
    """A project file as far as it could be read.

    Attributes:
        draft: what it says without its mistakes, for a look at what else may be wrong; None where
            too little is left.
        mistakes: all of them, so far.
    """

    file: Path
    draft: Project | None
    mistakes: Sequence[Mistake] = ()

    def project(self, more: Sequence[Mistake] = ()) -> Project:
        """The project, when nothing is wrong with it.

        Raises:
            ProjectError: with every mistake, and with what else was found wrong.
        """
        mistakes = [*self.mistakes, *more]
        if mistakes or self.draft is None:
            unique = {(mistake.where, mistake.found): mistake for mistake in mistakes}
            ordered = sorted(unique.values(), key=lambda mistake: mistake.line or 0)
            raise ProjectError(str(self.file), ordered)
        return self.draft


def load_project(path: Path | str | None = None, overrides: Sequence[str] = ()) -> Project:
    """Read and check a project file.

    Args:
        path: the file, or the folder that holds a luodi.yaml; None for the current folder.
        overrides: `dotted.path=value`, each value read as YAML where that makes sense.

    Raises:
        UsageError: there is no such file, or an override is not of the form `path=value`.
        ProjectError: with every mistake, in the language that the file asks for.
    """
    before = chosen_language()
    project = read_project(path, overrides).project()
    use_language(before)  # a right file leaves it to the caller
    return project


def read_project(path: Path | str | None = None, overrides: Sequence[str] = ()) -> Reading:
    """As `load_project`, for those who have more to say of a wrong file.

    Raises:
        UsageError: as `load_project`.
        ProjectError: the file is no YAML, or holds no names.
    """
    file = _find(path)
    values, places, mistakes = _read(file)
    return _reading(values, places, file, overrides, mistakes)


def make_project(values: dict[str, Any], root: Path, overrides: Sequence[str] = ()) -> Project:
    """A project of values that no file holds; paths in it are relative to `root`.

    Raises:
        UsageError, ProjectError: as `load_project`.
    """
    return _reading(values, Places(), root.resolve() / FILE, overrides).project()


def _reading(
    values: dict[str, Any],
    places: Places,
    file: Path,
    overrides: Sequence[str],
    told: Sequence[Mistake] = (),
) -> Reading:
    from luodi.project.shape import read_shape

    for override in overrides:
        _set(values, places, override)
    _speak(values.get("language"))
    values = with_defaults(values)
    draft, found = read_shape(values, places)
    known = {mistake.where for mistake in told}
    found = [mistake for mistake in found if mistake.where not in known]
    if draft is not None:
        draft._path = file
        draft._places = places
    return Reading(file, draft, [*told, *found, *task_mistakes(values, places)])


def _speak(language: object) -> None:
    """A project's mistakes are told in its own language."""
    if language in get_args(Language):
        use_language(cast(Language, language))


def with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """The values, with what they leave out taken from their task's own defaults."""
    if values.get("task") not in task_names():
        return values
    filled = dict(values)
    for path, default in find_task(values["task"]).defaults.items():
        *outer, name = path.split(".")
        place = filled
        for step in outer:
            inner = place.get(step, {})
            if not isinstance(inner, dict):  # told as a mistake, with its line
                break
            place[step] = dict(inner)
            place = place[step]
        else:
            place.setdefault(name, default)
    return filled


def _find(path: Path | str | None) -> Path:
    given = Path(path) if path is not None else Path.cwd()
    file = given / FILE if given.is_dir() else given
    if not file.is_file():
        raise UsageError(
            say(f"There is no project file {file}.", f"没有项目文件 {file}。"),
            say("Expected a luodi.yaml, or a folder that holds one.", "应为 luodi.yaml 或其目录。"),
            say(
                "`luodi new FOLDER --solution reviews` makes one that runs at once.",
                "`luodi new FOLDER --solution reviews` 可新建一个可立即运行的项目。",
            ),
        )
    return file.resolve()


def _read(file: Path) -> tuple[dict[str, Any], Places, list[Mistake]]:
    """The file's values, where each stands, and the names and values that cannot stand so."""
    import yaml

    name = str(file)
    if file.stat().st_size > _LARGEST:
        found = say("the file is over 1 MB", "文件超过 1 MB")
        raise ProjectError(name, [Mistake("-", found, say("a project file", "项目文件"))])
    try:
        text = file.read_bytes().decode("utf-8-sig")
        # Of what is no YAML the language may still be read.
        _speak(next(iter(re.findall(r"^language:\s*[\"']?(\w+)", text, re.MULTILINE)), None))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        found = say(f"byte {error.start} is not UTF-8", f"第 {error.start} 字节不是 UTF-8")
        raise ProjectError(name, [Mistake("-", found, "UTF-8")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ProjectError(name, [_syntax(error)]) from None
    lines: dict[str, int] = {}
    mistakes: list[Mistake] = []
    values = _values(node, "", lines, mistakes) if node is not None else {}
    if not isinstance(values, dict):
        found = say(f"the file holds a {type(values).__name__}", "文件内容不是键值映射")
        expected = say("name: value lines", "“名称: 值”形式")
        raise ProjectError(name, [*mistakes, Mistake("-", found, expected, 1)])
    return values, Places(lines), mistakes


def _syntax(error: Exception, where: str = "-") -> Mistake:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or type(error).__name__
    found = say(f"this is no YAML ({problem})", f"不是合法的 YAML({problem})")
    expected = say(
        'YAML; put a value with : # > or " in quotes', '合法的 YAML；含 : # > " 的值请加引号'
    )
    return Mistake(where, found, expected, mark.line + 1 if mark else None)


def _values(node: Any, where: str, lines: dict[str, int], mistakes: list[Mistake]) -> Any:
    import yaml

    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [
            _values(item, f"{where}.{index}", lines, mistakes)
            for index, item in enumerate(node.value)
        ]
    if not isinstance(node, yaml.MappingNode):
        if (said := _said(node, where)) is not None:
            return said
        loader = yaml.SafeLoader("")
        try:
            value = loader.construct_object(node, deep=True)
            if isinstance(value, str) and "\0" in value:  # no path and no column may hold it
                found = say("a NUL character", "含有 NUL 字符")
                expected = say("a text without it", "不含它的文本")
                mistakes.append(Mistake(where or "-", found, expected, lines[where]))
                return None
            return value
        except yaml.YAMLError as error:
            mistakes.append(_syntax(error, where or "-"))
            return None
        finally:
            loader.dispose()
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        path = f"{where}.{key}" if where else key
        if key in values:
            found = say(
                f"stands twice, first in line {lines[path]}", f"重复出现，首次在第 {lines[path]} 行"
            )
            expected = say("each name once", "每个名称只出现一次")
            mistakes.append(Mistake(path, found, expected, key_node.start_mark.line + 1))
        lines[path] = key_node.start_mark.line + 1
        values[key] = _values(value_node, path, lines, mistakes)
    return values


def _said(node: Any, where: str) -> str | float | None:
    """What a plain scalar says where PyYAML would take it for another thing; None elsewhere."""
    kind = node.tag.rpartition(":")[2]
    if node.style is not None or kind == "null":
        return None
    text: str = node.value
    if _COLUMNS.match(where):
        return text
    if _LABELS.match(where):
        return text if kind == "bool" and text.lower() not in ("true", "false") else None
    numeric = kind == "str" and _OPEN.match(where) and _POWER.fullmatch(text)
    return float(text) if numeric else None


def _set(values: dict[str, Any], places: Places, override: str) -> None:
    import yaml

    path, equals, text = override.partition("=")
    names = path.strip().split(".")
    if not equals or not all(names):
        raise UsageError(
            say(f"--set {override!r} sets nothing.", f"--set {override!r} 无效。"),
            say(
                "Expected dotted.path=value, such as --set model.budget=5m or "
                '--set gate.accuracy=">= 0.9".',
                '应为 点分路径=值，例如 --set model.budget=5m 或 --set gate.accuracy=">= 0.9"。',
            ),
        )
    try:
        # ">= 0.9" opens a block scalar in YAML: a bound is meant as the text that it is.
        node = None if text[:1] in "<>|" else yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        node = None
    value = text if node is None else _values(node, path.strip(), {}, [])
    place = values
    for name in names[:-1]:
        inner = place.get(name)
        if not isinstance(inner, dict):
            inner = place[name] = {}
        place = inner
    place[names[-1]] = value
    where = ".".join(names)
    places.override(where, f"--set {where}")


def as_yaml(values: Mapping[str, Any]) -> str:
    """Values as a reader would write them."""
    import yaml

    text: str = yaml.safe_dump(dict(values), allow_unicode=True, sort_keys=False)
    return text
