"""LightGBM's C library, without its Python package: that one loads scipy and scikit-learn.

What is served must load neither. The wheel's shared library is found by the place of the package,
which is not imported, and called through ctypes.
Source: LightGBM, include/LightGBM/c_api.h (MIT).
"""

from __future__ import annotations

import ctypes
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_void_p
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import BundleError, MissingPartError, say

Floats = NDArray[np.float64]

_FLOAT64, _ROW_MAJOR = 1, 1
_RAW, _CONTRIBUTIONS = 1, 3
_ALONE = 256
"""Rows up to which one thread is as fast as several, and does not suffer from a busy machine."""
_ROOM = 1 << 20
"""Bytes with room for most models: asking for the length first would write each text twice."""
_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}


def library_path() -> Path:
    """Where the installed wheel keeps the shared library.

    Raises:
        MissingPartError: it is not there.
    """
    spec = find_spec("lightgbm")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        name = f"lib_lightgbm{_SUFFIX.get(sys.platform, '.so')}"
        for folder in (package / "lib", package / "bin", package, package.parent):
            if (folder / name).is_file():
                return folder / name
    raise MissingPartError(
        say("LightGBM is not installed.", "未安装 LightGBM。"),
        say(
            "Models of boosting and forest are read by its library.",
            "boosting 与 forest 的模型由其动态库读取。",
        ),
        "pip install lightgbm",
    )


@cache
def library() -> ctypes.CDLL:
    """The library, loaded once.

    Raises:
        MissingPartError: it is not there, or lacks the OpenMP runtime.
    """
    path = library_path()
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise MissingPartError(
            say(
                f"LightGBM's library cannot be loaded: {error}.",
                f"无法加载 LightGBM 动态库：{error}。",
            ),
            say(
                "It needs the OpenMP runtime of the system (libgomp).",
                "它需要系统的 OpenMP 运行库（libgomp）。",
            ),
            "apt-get install libgomp1 | dnf install libgomp | brew install libomp",
        ) from error  # fmt: skip
    library.LGBM_GetLastError.restype = c_char_p
    matrix: list[Any] = [
        c_void_p,
        c_void_p,
        c_int,
        c_int32,
        c_int32,
        c_int,
        c_int,
        c_int,
        c_int,
        c_char_p,
    ]
    library.LGBM_BoosterPredictForMat.argtypes = [*matrix, POINTER(c_int64), c_void_p]
    library.LGBM_BoosterPredictForMatSingleRowFast.argtypes = [
        c_void_p, c_void_p, POINTER(c_int64), c_void_p,
    ]  # fmt: skip
    library.LGBM_BoosterPredictForMatSingleRowFastInit.argtypes = [
        c_void_p, c_int, c_int, c_int, c_int, c_int32, c_char_p, POINTER(c_void_p),
    ]  # fmt: skip
    library.LGBM_BoosterLoadModelFromString.argtypes = [
        c_char_p, POINTER(c_int), POINTER(c_void_p),
    ]  # fmt: skip
    library.LGBM_BoosterMerge.argtypes = [c_void_p, c_void_p]
    library.LGBM_BoosterSaveModelToString.argtypes = [
        c_void_p, c_int, c_int, c_int, c_int64, POINTER(c_int64), c_char_p,
    ]  # fmt: skip
    for name in ("GetNumFeature", "GetNumClasses"):
        getattr(library, f"LGBM_Booster{name}").argtypes = [c_void_p, POINTER(c_int)]
    library.LGBM_BoosterFree.argtypes = library.LGBM_FastConfigFree.argtypes = [c_void_p]
    return library


def _check(status: int) -> None:
    if status:
        said = library().LGBM_GetLastError().decode("utf-8", "replace")
        raise BundleError(
            say(f"LightGBM refuses the model: {said}.", f"LightGBM 拒绝该模型：{said}。"),
            say("Expected a model in LightGBM's text format.", "应为 LightGBM 文本格式的模型。"),
        )


def saved(handle: c_void_p, rounds: int, check: Callable[[int], None]) -> str:
    """A model's first `rounds` rounds (all for -1) in LightGBM's text format."""
    length, room, arguments = c_int64(), _ROOM, (handle, 0, rounds, 0)
    while True:  # LightGBM writes all of it anew where the room was too little
        buffer = ctypes.create_string_buffer(room)
        check(
            library().LGBM_BoosterSaveModelToString(
                *arguments, c_int64(room), byref(length), buffer
            )
        )
        if length.value <= room:
            return buffer.value.decode("utf-8")
        room = length.value


class Trees:
    """A model in LightGBM's text format, ready to answer. Safe to call from several threads.

    Attributes:
        features: f, how many columns it reads.
        outputs: k, how many sums it makes of a row.
    """

    def __init__(self, text: str | Path, threads: int = 1) -> None:
        self._text: str | Path | None = text
        self._many = f"num_threads={max(threads, 1)} verbosity=-1".encode()
        self._one = b"num_threads=1 verbosity=-1"
        self._handle, self._fast, rounds = c_void_p(), c_void_p(), c_int()
        model = text.read_bytes() if isinstance(text, Path) else text.encode("utf-8")
        _check(library().LGBM_BoosterLoadModelFromString(model, byref(rounds), byref(self._handle)))
        weakref.finalize(self, library().LGBM_BoosterFree, self._handle)
        self.features = self._count("GetNumFeature")
        self.outputs = self._count("GetNumClasses")
        self.rounds = rounds.value
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path, threads: int) -> Self:
        """Read a model's file, whose text is not kept: it is as large as the model."""
        return cls(path, threads)

    @property
    def text(self) -> str:
        """The model as LightGBM writes it."""
        if self._text is None:
            self._text = saved(self._handle, -1, _check)
        return self._text.read_text("utf-8") if isinstance(self._text, Path) else self._text

    @classmethod
    def merged(cls, texts: Sequence[str], rounds: int = -1, threads: int = 1) -> Self:
        """The trees of all models in order, or the first `rounds` rounds of them, as one model."""
        models = [cls(text, threads) for text in texts]
        for before, model in pairwise(models):  # LightGBM puts the other's trees before its own
            _check(library().LGBM_BoosterMerge(model._handle, before._handle))
            model.rounds += before.rounds
            model._text = None  # written when somebody wants it: a fold's model is only asked
        *_, merged = models
        return merged if rounds < 0 else cls(saved(merged._handle, rounds, _check), threads)

    def _count(self, name: str) -> int:
        found = c_int()
        _check(getattr(library(), f"LGBM_Booster{name}")(self._handle, byref(found)))
        return found.value

    def raw(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, k) sums of leaves."""
        if not self.rounds:
            return np.zeros((len(matrix), self.outputs))
        if len(matrix) != 1:
            return self._predict(matrix, _RAW, self.outputs)
        row, found, length = _plain(matrix), np.empty((1, self.outputs)), c_int64()
        with self._lock:  # the quick way keeps its notes in one place
            if not self._fast:
                self._make_fast()
            _check(
                library().LGBM_BoosterPredictForMatSingleRowFast(
                    self._fast, row.ctypes.data, byref(length), found.ctypes.data
                )
            )
        return found

    def _make_fast(self) -> None:
        _check(
            library().LGBM_BoosterPredictForMatSingleRowFastInit(
                self._handle, _RAW, 0, -1, _FLOAT64, self.features, self._one, byref(self._fast)
            )
        )
        # Finalizers run the latest first: what was made of the model goes before the model.
        weakref.finalize(self, library().LGBM_FastConfigFree, self._fast)

    def contributions(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, k, f + 1): exact SHAP values, the expected sum last.

        They add up to `raw` (Lundberg, Erion & Lee 2018, the path-dependent TreeSHAP).
        """
        wide = self.features + 1
        if not self.rounds:
            return np.zeros((len(matrix), self.outputs, wide))
        found = self._predict(matrix, _CONTRIBUTIONS, self.outputs * wide)
        return found.reshape(len(matrix), self.outputs, wide)

    def _predict(self, matrix: Floats, kind: int, width: int) -> Floats:
        rows, found, length = _plain(matrix), np.empty((len(matrix), width)), c_int64()
        if not len(matrix):
            return found
        settings = self._one if kind == _RAW and len(matrix) <= _ALONE else self._many
        _check(
            library().LGBM_BoosterPredictForMat(
                self._handle, rows.ctypes.data, _FLOAT64, len(rows), rows.shape[1], _ROW_MAJOR,
                kind, 0, -1, settings, byref(length), found.ctypes.data,
            )
        )  # fmt: skip
        return found


def _plain(matrix: Floats) -> Floats:
    return np.ascontiguousarray(matrix, dtype=np.float64)
