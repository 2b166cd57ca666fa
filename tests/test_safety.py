"""What may never stand in the source: code from data, shells, pickles; under whatever name."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FILES = sorted([*SOURCE.rglob("*.py"), *(SOURCE.parent / "scripts").rglob("*.py")])

MODULES = {
    "pickle", "_pickle", "cPickle", "pickle5", "dill", "cloudpickle", "joblib", "shelve", "marshal",
    "runpy", "code", "codeop", "pty",
}  # fmt: skip
"""Never imported: what they read is run, or they run what they read."""
NEVER = (
    "builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__",
    "os.system", "os.popen", "os.exec*", "os.spawn*", "os.posix_spawn*",
    "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
    "yaml.load", "yaml.load_all", "yaml.unsafe_load*", "yaml.full_load*", "yaml.Loader",
    "yaml.UnsafeLoader", "yaml.FullLoader", "yaml.CLoader",
    "torch.jit.load", "torch.hub.*", "torch.package.*",
    "pandas.read_pickle", "polars.*.deserialize",
)  # fmt: skip
"""Never named, whether it is called there or handed on."""
LOADS = ("torch.load", "torch.serialization.load")
"""Called with weights_only=True, and never handed on."""
METHODS = ("read_pickle", "to_pickle")
"""Methods whose name alone tells, whatever they belong to."""
SWITCHES = ("shell", "allow_pickle", "trust_remote_code")
"""Never given but as False."""
IMPORTERS = ("importlib.import_module", "importlib.__import__", "builtins.__import__")
HOLDERS = ("builtins", "os", "subprocess", "torch", "yaml")
"""Modules of which nothing is taken by a name that is not written out."""
COMPUTED = {"luodi/project/catalogue.py": "an entry point names a task's module"}
"""Files that import by a name which they do not write out, and why."""


class Names(ast.NodeVisitor):
    """What a module's names stand for: after `from torch import load as l`, `l` is torch.load."""

    def __init__(self, tree: ast.Module) -> None:
        self.meant = {"__builtins__": "builtins"}
        self.visit(tree)
        self.visit(tree)  # a name may be used above the line that gives it

    def visit_Import(self, node: ast.Import) -> None:  # named by ast
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self.meant[alias.asname or first] = alias.name if alias.asname else first

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.meant[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        meant = self.of(node.value) if node.value else ""
        for target in targets:
            if isinstance(target, ast.Name) and meant:
                self.meant[target.id] = meant
        self.generic_visit(node)

    visit_AnnAssign = visit_NamedExpr = visit_Assign  # noqa: N815

    def of(self, node: ast.expr) -> str:
        """The dotted name that an expression stands for; empty when that cannot be told."""
        if isinstance(node, ast.Name):
            own = f"builtins.{node.id}" if hasattr(builtins, node.id) else ""
            return self.meant.get(node.id, own)
        if isinstance(node, ast.Attribute):
            return self._within(self.of(node.value), node.attr)
        if isinstance(node, ast.Subscript):  # vars(builtins)["eval"], sys.modules["pickle"]
            return self._within(self.of(node.value), text_of(node.slice))
        return self._answer(node) if isinstance(node, ast.Call) else ""

    @staticmethod
    def _within(outer: str, name: str) -> str:
        if outer == "sys.modules":
            return name
        return outer if name == "__dict__" else f"{outer}.{name}" if outer and name else ""

    def _answer(self, node: ast.Call) -> str:
        called, arguments = self.of(node.func), [*node.args, *(w.value for w in node.keywords)]
        given = [text_of(argument) for argument in arguments]
        if called in IMPORTERS and given:
            return given[0]
        if called == "builtins.getattr" and len(given) > 1:
            return self._within(self.of(arguments[0]), given[1])
        if called in ("builtins.vars", "functools.partial") and given:
            return self.of(arguments[0])
        return ""


def text_of(node: ast.expr) -> str:
    """A text that is written out, in one piece or in several; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left), text_of(node.right)
        return left + right if left and right else ""
    return ""


def faults(text: str, file: str = "") -> list[str]:
    """Each forbidden thing in a module's source, with its line."""
    tree = ast.parse(text)
    names = Names(tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = []
    for node in ast.walk(tree):
        told = {*imported(node), *named(node, names, id(node) in called)}
        if isinstance(node, ast.Call):
            told |= {*call_faults(node, names)}
            if file not in COMPUTED:
                told |= {*computed(node, names)}
        found += [f"{getattr(node, 'lineno', 0)}: {fault}" for fault in sorted(told)]
    return found


def forbidden(name: str) -> bool:
    return name.partition(".")[0] in MODULES or any(fnmatchcase(name, never) for never in NEVER)


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (f"import {a.name}" for a in node.names if forbidden(a.name))
    elif isinstance(node, ast.ImportFrom) and not node.level:
        for alias in node.names:
            if alias.name == "*" or forbidden(f"{node.module}.{alias.name}"):
                yield f"from {node.module} import {alias.name}"


def named(node: ast.AST, names: Names, called: bool) -> Iterator[str]:
    """A forbidden thing that an expression stands for."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        name = names.of(node)
        if forbidden(name):
            yield name
        if name in LOADS and not called and not isinstance(node, ast.Call):
            yield f"{name} handed on"
    if isinstance(node, ast.Attribute) and node.attr in METHODS:
        yield f".{node.attr}"


def call_faults(node: ast.Call, names: Names) -> Iterator[str]:
    called = names.of(node.func)
    given: dict[str, ast.expr] = {}
    for word in node.keywords:
        if word.arg:
            given[word.arg] = word.value
        elif isinstance(word.value, ast.Dict):  # **{"shell": True}
            keys = [text_of(key) if key else "" for key in word.value.keys]
            given |= dict(zip(keys, word.value.values, strict=True))
        elif called.startswith("subprocess."):
            yield f"{called} with **, which may hold shell"

    def says(name: str, value: bool) -> bool:
        return isinstance(given.get(name), ast.Constant) and given[name].value is value

    if called in LOADS and not says("weights_only", True):
        yield "torch.load without weights_only=True"
    yield from (f"{name}=" for name in SWITCHES if name in given and not says(name, False))
    if called.startswith("subprocess.") and len(node.args) > 8:
        yield f"{called} with shell by its place"
    if called in ("numpy.load", "numpy.save") and len(node.args) > 2:
        yield f"{called} with allow_pickle by its place"
    if called == "numpy.save" and not says("allow_pickle", False):
        yield "numpy.save, which pickles objects without allow_pickle=False"


def computed(node: ast.Call, names: Names) -> Iterator[str]:
    """What is asked for by a name that is not written out, where that may be anything."""
    called = names.of(node.func)
    if called in IMPORTERS and node.args and not text_of(node.args[0]):
        parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else []
        if not (parts and text_of(parts[0]).startswith("luodi.")):
            yield f"{called} of a computed name"
    if called == "builtins.getattr" and len(node.args) > 1 and not text_of(node.args[1]):
        outer = names.of(node.args[0])
        if outer in HOLDERS:
            yield f"getattr of a computed name of {outer}"


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(SOURCE.parent)))
def test_no_code_from_data(file):
    inside = file.relative_to(SOURCE).as_posix() if file.is_relative_to(SOURCE) else file.name
    assert faults(file.read_text("utf-8"), inside) == []


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle",
        "import pickle as p\np.loads(data)",
        "from pickle import loads",
        "from joblib import load",
        "import joblib as j",
        "import marshal, json",
        "import shelve as s",
        "import dill",
        "from cloudpickle import loads as l",
        "import sys\nsys.modules['pickle'].loads(data)",
        "__import__('pickle').loads(data)",
        "import importlib\nimportlib.import_module('pickle')",
        "from importlib import import_module as take\ntake('pick' + 'le').loads(data)",
        "from importlib import import_module\nimport_module(name)",
        "from importlib import import_module\nimport_module(f'{name}.x')",
        "eval(text)",
        "exec(text)",
        "compile(text, '', 'exec')",
        "list(map(eval, texts))",
        "run = eval\nrun(text)",
        "import builtins\ngetattr(builtins, 'eval')(text)",
        "import builtins as b\nb.exec(text)",
        "import builtins\nvars(builtins)['ev' + 'al'](text)",
        "import builtins\nbuiltins.__dict__['eval'](text)",
        "import builtins\ngetattr(builtins, name)(text)",
        "__builtins__['eval'](text)",
        "from builtins import eval as look",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch\ntorch.load(path, weights_only=flag)",
        "import torch as t\nt.load(path)",
        "from torch import load\nload(path)",
        "from torch import load as read\nread(path)",
        "import torch\nt = torch\nt.load(path)",
        "import torch\nlist(map(torch.load, paths))",
        "from functools import partial\nimport torch\npartial(torch.load, map_location='cpu')",
        "import torch\ngetattr(torch, 'load')(path)",
        "import torch\ntorch.jit.load(path)",
        "from torch.hub import load as fetch",
        "import subprocess\nsubprocess.run(line, shell=True)",
        "from subprocess import run as r\nr(line, shell=True)",
        "from subprocess import Popen\nPopen(line, shell=flag)",
        "import subprocess\nsubprocess.run(line, **{'shell': True})",
        "import subprocess\nsubprocess.run(line, **options)",
        "import subprocess as s\ns.Popen(line, -1, None, None, None, None, None, True, True)",
        "from subprocess import getoutput",
        "import os\nos.system(line)",
        "import os as o\no.popen(line)",
        "from os import system as s\ns(line)",
        "import os\nrun = os.system",
        "import os\ngetattr(os, 'sys' + 'tem')(line)",
        "import os\nos.execv(path, words)",
        "from asyncio import create_subprocess_shell",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "from numpy import load\nload(path, allow_pickle=True)",
        "from numpy import load\nload(path, None, True)",
        "import numpy\nnumpy.save(path, array)",
        "import pandas as pd\npd.read_pickle(path)",
        "frame.to_pickle(path)",
        "import yaml\nyaml.load(text)",
        "import yaml as y\ny.load(text, Loader=y.SafeLoader)",
        "from yaml import load, Loader",
        "from yaml import unsafe_load as read",
        "import yaml\nyaml.compose(text, Loader=yaml.UnsafeLoader)",
        "from os import *",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "import runpy\nrunpy.run_path(path)",
    ],
)
def test_the_check_sees_what_it_forbids(planted):
    assert faults(planted)


@pytest.mark.parametrize(
    "allowed",
    [
        "import re\nre.compile(text)",
        "model.eval()",
        "import torch\ntorch.load(path, map_location='cpu', weights_only=True)",
        "import numpy as np\nnp.load(path, allow_pickle=False)",
        "import subprocess\nsubprocess.run([program], shell=False, check=True)",
        "import yaml\nyaml.safe_load(text)\nyaml.compose(text, Loader=yaml.SafeLoader)",
        "for code in codes:\n    code.name",
        "from importlib import import_module\nimport_module(f'luodi.cli.{name}')",
        "import os\nos.environ.get('PATH')",
        "getattr(settings, name)",
    ],
)
def test_the_check_leaves_the_rest_alone(allowed):
    assert faults(allowed) == []
