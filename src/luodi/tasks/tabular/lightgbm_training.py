"""Training by LightGBM's C library, as its Python package trains, without what that one loads.

The package brings scikit-learn, SciPy and pandas, whose loading takes longer than most tables need
to be learnt.
Source: LightGBM, include/LightGBM/c_api.h and python-package/lightgbm/basic.py (MIT).
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Mapping, Sequence
from ctypes import byref, c_char_p, c_double, c_int, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import TrainingError, say
from luodi.tasks.tabular.lightgbm_library import Floats, library, saved

_FLOAT32, _FLOAT64, _ROW_MAJOR = 0, 1, 1
_MOST_METRICS = 16


def _check(status: int) -> None:
    if status:
        said = library().LGBM_GetLastError().decode("utf-8", "replace")
        raise TrainingError(
            say(f"LightGBM cannot learn from these rows: {said}.",
                f"LightGBM 无法从这些数据学习：{said}。")
        )  # fmt: skip


def written(parameters: Mapping[str, Any]) -> bytes:
    """Parameters as the library reads them: name=value, lists with commas."""

    def text(value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

    return " ".join(f"{name}={text(value)}" for name, value in parameters.items()).encode()


class Binned:
    """Rows as LightGBM holds them, each column cut into bins.

    Args:
        matrix: (n, f).
        truth, weight: (n,).
        start: (n, k) what each row's sums start from.
        reference: rows whose bins are taken; None to cut anew.
    """

    def __init__(
        self, matrix: Floats, truth: NDArray[Any], weight: Floats, start: Floats,
        parameters: Mapping[str, Any], categorical: Sequence[int], reference: Binned | None = None,
    ) -> None:  # fmt: skip
        rows = np.ascontiguousarray(matrix, np.float64)
        told = {**parameters, **({"categorical_column": list(categorical)} if categorical else {})}
        self.handle = c_void_p()
        _check(
            library().LGBM_DatasetCreateFromMat(
                c_void_p(rows.ctypes.data), _FLOAT64, rows.shape[0], rows.shape[1], _ROW_MAJOR,
                c_char_p(written(told)), reference.handle if reference else None,
                byref(self.handle),
            )
        )  # fmt: skip
        weakref.finalize(self, library().LGBM_DatasetFree, self.handle)
        self._set("label", np.ascontiguousarray(truth, np.float32), _FLOAT32)
        if (weight != 1).any():
            self._set("weight", np.ascontiguousarray(weight, np.float32), _FLOAT32)
        # One label's starts after the other's.
        self._set("init_score", np.ascontiguousarray(start.T.ravel(), np.float64), _FLOAT64)

    def _set(self, name: str, values: NDArray[Any], kind: int) -> None:
        place = c_void_p(values.ctypes.data)
        _check(library().LGBM_DatasetSetField(self.handle, name.encode(), place, len(values), kind))


class Booster:
    """A model that grows, a round at a time."""

    def __init__(
        self, parameters: Mapping[str, Any], learnt: Binned, judged: Binned | None
    ) -> None:
        self._rows = (learnt, judged)  # the library goes on reading them
        self._handle = c_void_p()
        told = c_char_p(written(parameters))
        _check(library().LGBM_BoosterCreate(learnt.handle, told, byref(self._handle)))
        weakref.finalize(self, library().LGBM_BoosterFree, self._handle)
        if judged is not None:
            _check(library().LGBM_BoosterAddValidData(self._handle, judged.handle))
        # Looked up once: on few rows a round takes no longer than a dozen such things.
        self._update, self._whole = library().LGBM_BoosterUpdateOneIter, byref(c_int())
        self._judge, self._count = library().LGBM_BoosterGetEval, byref(c_int())
        self._losses = (c_double * _MOST_METRICS)()

    def grow(self) -> None:
        """One more round, by the objective among the parameters."""
        _check(self._update(self._handle, self._whole))

    def grow_by(self, gradient: Floats, hessian: Floats) -> None:
        """One more round, by (n, k) gradients and Hessians."""
        both = [np.ascontiguousarray(each.T.ravel(), np.float32) for each in (gradient, hessian)]
        places = [each.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for each in both]
        _check(library().LGBM_BoosterUpdateOneIterCustom(self._handle, *places, byref(c_int())))

    def loss(self) -> float:
        """The first metric on the judged rows."""
        _check(self._judge(self._handle, 1, self._count, self._losses))
        return self._losses[0]

    def text(self, rounds: int = -1) -> str:
        """The model so far, or its first `rounds` rounds, in LightGBM's text format."""
        return saved(self._handle, rounds, _check)
