"""What may never stand in the source: code from data, shells, pickles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FILES = sorted([*SOURCE.rglob("*.py"), *(SOURCE.parent / "scripts").rglob("*.py")])
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def faults(text: str) -> list[str]:
    """Each forbidden thing in a module's source, with its line."""
    found = []
    for node in ast.walk(ast.parse(text)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            found += [
                f"{line}: import {a.name}" for a in node.names if a.name.split(".")[0] in PICKLES
            ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PICKLES:
            found.append(f"{line}: from {node.module}")
        elif isinstance(node, ast.Call):
            found += [f"{line}: {fault}" for fault in call_faults(node)]
    return found


def call_faults(node: ast.Call) -> list[str]:
    called = ast.unparse(node.func)
    given = {word.arg: word.value for word in node.keywords}

    def says(name: str, value: object) -> bool:
        return isinstance(given.get(name), ast.Constant) and given[name].value == value

    found = []
    if called in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"):
        found.append(called)
    if called.endswith("torch.load") and not says("weights_only", True):
        found.append("torch.load without weights_only=True")
    if "shell" in given and not says("shell", False):
        found.append("shell=")
    if says("allow_pickle", True):
        found.append("allow_pickle=True")
    if "trust_remote_code" in given and not says("trust_remote_code", False):
        found.append("trust_remote_code")
    if called in ("yaml.load", "yaml.unsafe_load", "yaml.full_load"):
        found.append(called)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(SOURCE.parent)))
def test_no_code_from_data(file):
    assert faults(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "exec(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "subprocess.run(line, shell=True)",
        "np.load(path, allow_pickle=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "yaml.load(text)",
        "os.system(line)",
    ],
)
def test_the_check_sees_what_it_forbids(planted):
    assert faults(planted)
