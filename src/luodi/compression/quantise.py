"""Matrix products in 8-bit integers by scales fixed beforehand; see `quantise_rows` for those
that each row finds for itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from luodi.compression.parity import Feeds

_PRODUCTS = ["MatMul", "Gemm"]


def quantise_calibrated(source: Path, target: Path, samples: Sequence[Feeds]) -> None:
    """Weights in 8 bits by column, activations by scales fixed beforehand on `samples`.

    An answer does not depend on the other rows of its call. Written in the QDQ form, which both
    ONNX Runtime and OpenVINO turn into integer products.

    Args:
        samples: inputs such as the model will see; a batch each.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Samples(CalibrationDataReader):  # type: ignore[misc]  # the library is not typed
        """One batch after the other."""

        def __init__(self) -> None:
            self._left = iter(samples)

        def get_next(self) -> Any:
            """The next batch; None when there is none."""
            return next((dict(feeds) for feeds in self._left), None)

    with _quiet():
        quantize_static(
            str(source),
            str(target),
            Samples(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_PRODUCTS,
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={
                "MatMulConstBOnly": True,
                # A single number far out would coarsen all others: ranges are averaged instead.
                "CalibMovingAverage": True,
                "CalibMovingAverageConstant": 0.05,
            },
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """The library advises a preparation that does nothing for a traced encoder, at every call."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
