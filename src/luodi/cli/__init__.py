"""The command line: a file a command, loaded only when it is called.

`luodi --help` must answer in the time of a blink, so this module imports nothing but the words;
Typer reads a command's own options once that command is chosen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from luodi import __version__
from luodi.contracts.errors import LuodiError, ProjectError, UsageError
from luodi.contracts.language import say, worded

INTERRUPTED = 130

COMMANDS: dict[str, tuple[str, str, str]] = {
    "new": (
        "FOLDER --solution NAME",
        "make a project that runs at once",
        "新建一个可立即运行的项目",
    ),
    "check": (
        "[PROJECT]",
        "validate file and data; estimate time and memory; train nothing",
        "检查项目文件与数据，估算时间与内存，不训练",
    ),
    "run": (
        "[PROJECT] [--set k=v]",
        "data to gated, registered model; ends with the verdict",
        "从数据到过关、登记的模型，以结论收尾",
    ),
    "package": (
        "PATH --task NAME --data TABLE",
        "take over a model trained elsewhere: judge, seal, register",
        "接管在别处训练的模型：评估、封装、登记",
    ),
    "predict": ("MODEL INPUT [-o OUT]", "answer a whole table", "批量预测整张表"),
    "serve": ("[MODEL ...] [--port N]", "answer over HTTP", "启动 HTTP 服务"),
    "report": ("[RUN]", "show a run's report", "查看一次运行的报告"),
    "data": (
        "log | diff | ...",
        "look at tables: where they came from, what changed",
        "查看数据表：来历与变化",
    ),
    "models": (
        "[promote|rollback|route NAME]",
        "list models, versions and aliases; promote, roll back, route",
        "列出模型、版本与别名；上线、回滚、分流",
    ),
    "export": (
        "MODEL --docker | --kubernetes | --systemd",
        "write what a model needs to run elsewhere",
        "导出到镜像、Kubernetes 或 systemd",
    ),
    "keys": (
        "[add NAME | revoke PREFIX]",
        "who may ask a service: list, add, revoke",
        "服务访问密钥：列出、新建、吊销",
    ),
    "verify": ("BUNDLE", "check every digest, replay the golden answers", "校验摘要并重放标准答案"),
    "bases": ("", "list the pretrained models that Luodi knows", "列出 Luodi 认识的预训练模型"),
    "doctor": ("", "look at this machine and say what is missing", "检查本机并指出缺什么"),
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) went away: that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _dispatch(given: list[str]) -> int:
    if not given or given[0] in ("-h", "--help", "help"):
        print(help_text())
        return 0 if given else 2
    if given[0] in ("-V", "--version"):
        print(f"luodi {__version__}")
        return 0
    as_json = "--json" in given
    try:
        name = given[0]
        if name not in COMMANDS:
            raise _unknown(name)
        module = import_module(f"luodi.cli.{name}")
        if group := getattr(module, "COMMANDS", None):
            return _dispatch_within(name, group, given[1:])
        command: Callable[..., None] = module.command
        return _call(name, command, given[1:])
    except LuodiError as error:
        _tell(error, as_json)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            say(
                "\nStopped. What was finished is kept; the same command goes on from there.",
                "\n已停止。已完成的部分都已保存，同一命令会从这里继续。",
            ),
            file=sys.stderr,
        )
        return INTERRUPTED


def _dispatch_within(
    group: str, commands: Mapping[str, tuple[str, str, str]], given: list[str]
) -> int:
    """`luodi GROUP COMMAND ...`: a group is a package whose COMMANDS reads like ours."""
    if not given or given[0] in ("-h", "--help", "help"):
        print(_group_help(group, commands))
        return 0 if given else 2
    name = given[0]
    if name not in commands:
        raise _unknown(name, commands, f"luodi {group} --help")
    command: Callable[..., None] = import_module(f"luodi.cli.{group}.{name}").command
    return _call(f"{group} {name}", command, given[1:])


def _call(name: str, command: Callable[..., None], arguments: list[str]) -> int:
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name)(command)
    try:
        result = typer.main.get_command(app).main(
            arguments, prog_name=f"luodi {name}", standalone_mode=False
        )
    except LuodiError:
        raise
    except Exception as error:
        # Typer's own usage errors know how to word themselves; anything else is not foreseen.
        if isinstance(error, typer.Abort):
            raise KeyboardInterrupt from error
        wording: Callable[[], str] | None = getattr(error, "format_message", None)
        if wording is None:
            raise _unforeseen(error) from error
        raise UsageError(wording(), "", f"luodi {name} --help") from error
    if result == INTERRUPTED:  # Typer turns Ctrl-C into this exit code without a word
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _unknown(
    name: str,
    commands: Mapping[str, tuple[str, str, str]] = COMMANDS,
    help_command: str = "luodi --help",
) -> UsageError:
    import difflib

    near = difflib.get_close_matches(name, commands, n=1)
    hint = say(f"Did you mean {near[0]}?", f"是否想用 {near[0]}?") if near else help_command
    return UsageError(
        say(f"No command is named {name}.", f"没有名为 {name} 的命令。"),
        say(f"There are: {', '.join(commands)}.", f"可用命令：{'、'.join(commands)}。"),
        hint,
    )


def _unforeseen(error: Exception) -> LuodiError:
    """What the machine refused, as that; a fault of ours: keep the traceback in a file, tell the
    reader in words.
    """
    import tempfile
    import traceback
    from pathlib import Path

    from luodi.contracts.refusals import refusal

    if os.environ.get("LUODI_DEBUG"):
        raise error
    if (refused := refusal(error)) is not None:
        return refused
    message = say(
        f"Luodi met an error that it did not foresee: {type(error).__name__}: {error}",
        f"Luodi 遇到了未预见的错误：{type(error).__name__}:{error}",
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="luodi-crash-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            traceback.print_exception(error, file=file)
    except OSError as full:
        more = say(f"Its details cannot be kept: {full}.", f"无法保存详情：{full}。")
        return LuodiError(message, "", more)
    place = Path(file.name)
    return LuodiError(message, "", say(f"The details are in {place}.", f"详情见 {place}。"))


def _tell(error: LuodiError, as_json: bool) -> None:
    if as_json:
        import json

        document: dict[str, object] = {
            "code": error.code,
            "message": str(error),
            "exit_code": error.exit_code,
        }
        if isinstance(error, ProjectError):
            document["mistakes"] = [worded(vars(mistake)) for mistake in error.mistakes]
        print(json.dumps({"error": document}, ensure_ascii=False))
    else:
        print(say(f"Error: {error}", f"错误：{error}"), file=sys.stderr)


def help_text() -> str:
    """What `luodi --help` prints."""
    lines = [
        say(
            "Luodi: from a company's own data to a gated, served and watched model.",
            "Luodi（落地）：从企业自己的数据，到过关、上线、受监控的模型。",
        ),
        "",
        say("Usage: luodi COMMAND [ARGUMENTS] [--json]", "用法：luodi 命令 [参数] [--json]"),
        "",
    ]
    lines += _listed(COMMANDS)
    lines += [
        "",
        say(
            "luodi COMMAND --help tells a command's options. Every command takes --json.",
            "luodi 命令 --help 查看该命令的选项。每个命令都支持 --json。",
        ),
        say(
            "Exit codes: 0 done, 1 an error, 2 wrong usage or project file, 3 the gate refused.",
            "退出码：0 完成，1 出错，2 用法或项目文件有误，3 门禁未通过。",
        ),
    ]
    return "\n".join(lines)


def _group_help(group: str, commands: Mapping[str, tuple[str, str, str]]) -> str:
    usage = say(
        f"Usage: luodi {group} COMMAND [ARGUMENTS] [--json]",
        f"用法：luodi {group} 命令 [参数] [--json]",
    )
    return "\n".join([usage, "", *_listed(commands)])


def _listed(commands: Mapping[str, tuple[str, str, str]]) -> list[str]:
    width = max(len(f"{name} {usage}") for name, (usage, _, _) in commands.items()) + 2
    return [
        f"  {f'{name} {usage}':<{width}}{say(english, chinese)}"
        for name, (usage, english, chinese) in commands.items()
    ]
