"""The names that may stand in a pickled table. None is called or imported: each tells a shape."""

from __future__ import annotations


def is_known(module: str, name: str) -> bool:
    """Whether tables have this name of this module; an index may tell its step in time."""
    return module in _KNOWN.get(name, ()) or module == "pandas._libs.tslibs.offsets"


_CORE, _ARRAYS = "pandas.core", "pandas.arrays"
_BASIC = ("builtins", "__builtin__")
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_KNOWN: dict[str, tuple[str, ...]] = {
    "DataFrame": ("pandas", f"{_CORE}.frame"),
    "Series": ("pandas", f"{_CORE}.series"),
    "BlockManager": (f"{_CORE}.internals.managers", f"{_CORE}.internals"),
    "SingleBlockManager": (f"{_CORE}.internals.managers", f"{_CORE}.internals"),
    "_unpickle_block": ("pandas._libs.internals",),
    "_new_Index": (f"{_CORE}.indexes.base",),
    "_new_DatetimeIndex": (f"{_CORE}.indexes.datetimes",),
    "Index": ("pandas", f"{_CORE}.indexes.base"),
    "RangeIndex": ("pandas", f"{_CORE}.indexes.range"),
    "MultiIndex": ("pandas", f"{_CORE}.indexes.multi"),
    "DatetimeIndex": ("pandas", f"{_CORE}.indexes.datetimes"),
    "TimedeltaIndex": ("pandas", f"{_CORE}.indexes.timedeltas"),
    "CategoricalIndex": ("pandas", f"{_CORE}.indexes.category"),
    "Int64Index": (f"{_CORE}.indexes.numeric",),
    "UInt64Index": (f"{_CORE}.indexes.numeric",),
    "Float64Index": (f"{_CORE}.indexes.numeric",),
    "__pyx_unpickle_NDArrayBacked": ("pandas._libs.arrays",),
    "Categorical": ("pandas", f"{_CORE}.arrays.categorical"),
    "DatetimeArray": (_ARRAYS, f"{_CORE}.arrays.datetimes"),
    "TimedeltaArray": (_ARRAYS, f"{_CORE}.arrays.timedeltas"),
    "StringArray": (_ARRAYS, f"{_CORE}.arrays.string_"),
    "StringArrayNumpySemantics": (f"{_CORE}.arrays.string_",),
    "ArrowStringArray": (_ARRAYS, f"{_CORE}.arrays.string_arrow"),
    "ArrowStringArrayNumpySemantics": (f"{_CORE}.arrays.string_arrow",),
    "PandasArray": (f"{_CORE}.arrays.numpy_",),
    "NumpyExtensionArray": (_ARRAYS, f"{_CORE}.arrays.numpy_"),
    "IntegerArray": (_ARRAYS, f"{_CORE}.arrays.integer"),
    "FloatingArray": (_ARRAYS, f"{_CORE}.arrays.floating"),
    "BooleanArray": (_ARRAYS, f"{_CORE}.arrays.boolean"),
    "BooleanDtype": ("pandas", f"{_CORE}.arrays.boolean"),
    "StringDtype": ("pandas", f"{_CORE}.arrays.string_"),
    "CategoricalDtype": ("pandas", f"{_CORE}.dtypes.dtypes"),
    "DatetimeTZDtype": ("pandas", f"{_CORE}.dtypes.dtypes"),
    **{f"{sign}Int{bits}Dtype": ("pandas", f"{_CORE}.arrays.integer")
       for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "Float32Dtype": ("pandas", f"{_CORE}.arrays.floating"),
    "Float64Dtype": ("pandas", f"{_CORE}.arrays.floating"),
    "NA": ("pandas", "pandas._libs.missing"),
    "_nat_unpickle": ("pandas._libs.tslibs.nattype",),
    "__nat_unpickle": ("pandas._libs.tslibs.nattype",),
    "_reconstruct": _NUMPY,
    "scalar": _NUMPY,
    "_frombuffer": ("numpy.core.numeric", "numpy._core.numeric"),
    "ndarray": ("numpy",),
    "dtype": ("numpy",),
    "slice": _BASIC,
    "bytes": _BASIC,  # with no argument, in protocol 2
    "bytearray": _BASIC,
    "getattr": _BASIC,  # how a zone of zoneinfo is written; a name here, as all are
    "ZoneInfo": ("zoneinfo",),
    "timezone": ("datetime",),
    "timedelta": ("datetime",),
    "date": ("datetime",),
    "datetime": ("datetime",),
    "Decimal": ("decimal",),
    "_UTC": ("pytz",),
    "_p": ("pytz",),
    "encode": ("_codecs",),
    "_restore_array": ("pyarrow.lib",),
    "chunked_array": ("pyarrow.lib",),
    "type_for_alias": ("pyarrow.lib",),
    "py_buffer": ("pyarrow.lib",),
}  # fmt: skip
