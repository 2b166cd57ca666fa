"""Pictures changed: the same shape and kind, the same thing in them."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.contracts import DataError
from luodi.data.augment.images import augment_image

WAYS = ("flip", "rotate", "crop", "scale", "colour")


def picture(shape: tuple[int, ...] = (24, 32, 3)) -> np.ndarray:
    rng = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(rng.normal(size=shape), 0), 1)
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(24, 32, 3), (7, 5), (16, 16, 4), (1, 1, 3), (3, 40, 1)])
def test_shape_and_type_stay(way: str, shape: tuple[int, ...]) -> None:
    image = picture(shape)
    before = image.copy()
    changed = augment_image(image, [way], 0.8, np.random.default_rng(3))  # type: ignore[list-item]
    assert changed.shape == shape
    assert changed.dtype == np.uint8
    assert (image == before).all()


@pytest.mark.parametrize("way", WAYS)
def test_each_way_changes_a_little_and_is_repeatable(way: str) -> None:
    image = picture()
    one, two = (
        augment_image(image, [way], 0.5, np.random.default_rng(5))  # type: ignore[list-item]
        for _ in range(2)
    )
    assert (one == two).all()
    assert (one != image).any()
    if way != "flip":
        assert abs(one.astype(int).mean() - image.astype(int).mean()) < 60


def test_what_the_ways_are() -> None:
    image = picture()
    assert (augment_image(image, ["flip"], 0.5, np.random.default_rng(0)) == image[:, ::-1]).all()
    seen = picture((16, 16, 4))
    tinted = augment_image(seen, ["colour"], 1.0, np.random.default_rng(1))
    assert (tinted[..., 3] == seen[..., 3]).all()  # transparency is no colour
    for way in ("rotate", "crop", "scale"):
        still = augment_image(image, [way], 0.0, np.random.default_rng(1))  # type: ignore[list-item]
        assert np.abs(still.astype(int) - image).max() <= 1


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4)), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_no_picture_is_told(image: np.ndarray) -> None:
    with pytest.raises(DataError, match="uint8"):
        augment_image(image, ["flip"], 0.5, np.random.default_rng(0))
