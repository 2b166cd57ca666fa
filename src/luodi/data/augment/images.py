"""Pictures turned, cut and tinted, as a camera might have seen the same thing.

Shapes: (height, width) or (height, width, channels), uint8; what comes out has the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import DataError, ImageWay, say

Image = NDArray[np.uint8]


def augment_image(
    image: Image, ways: Sequence[ImageWay], strength: float, rng: np.random.Generator
) -> Image:
    """The picture changed in at least one of the ways, each taken with even chance.

    Args:
        ways: of `flip` (left to right), `rotate`, `crop` (a part, brought back to the size),
            `scale` (nearer or farther), `colour` (brightness, contrast, saturation).
        strength: 0 to 1; at 1 turns go to 30 degrees, crops take half of the area, and light
            changes by half.

    Raises:
        DataError: for anything but a picture of uint8.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
        raise DataError(
            say(
                f"A picture has the shape {image.shape} and the type {image.dtype}.",
                f"图片的形状为 {image.shape}，类型为 {image.dtype}。",
            ),
            say(
                "Expected (height, width[, channels]) of uint8.",
                "应为 uint8 的（高、宽[、通道]）。",
            ),
        )
    taken = [way for way in ways if rng.random() < 0.5] or [ways[int(rng.integers(len(ways)))]]
    for way in taken:
        image = _WAYS[way](image, strength, rng)
    return image


def _flip(image: Image, strength: float, rng: np.random.Generator) -> Image:
    return np.ascontiguousarray(image[:, ::-1])


def _rotate(image: Image, strength: float, rng: np.random.Generator) -> Image:
    degrees = float(rng.uniform(-30, 30) * strength)
    turned = _each_channel(
        _framed(image), lambda part, pillow: part.rotate(degrees, pillow.BILINEAR)
    )
    return _middle(turned, image)


def _crop(image: Image, strength: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    share = float(np.sqrt(1 - 0.5 * strength * rng.random()))
    tall, wide = max(1, round(height * share)), max(1, round(width * share))
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    return _resized(image[top : top + tall, left : left + wide], height, width)


def _scale(image: Image, strength: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    factor = float(2 ** (rng.uniform(-0.5, 0.5) * strength))
    framed = _framed(image)
    tall, wide = (max(1, round(side * factor)) for side in framed.shape[:2])
    scaled = _resized(framed, max(tall, height), max(wide, width))
    return _middle(scaled, image)


def _colour(image: Image, strength: float, rng: np.random.Generator) -> Image:
    light, contrast, saturation = 1 + rng.uniform(-0.5, 0.5, 3) * strength
    value = image.astype(np.float32)
    value = (value - value.mean()) * contrast + value.mean() * light
    if image.ndim == 3 and image.shape[2] >= 3:
        grey = value[..., :3].mean(-1, keepdims=True)
        value[..., :3] = grey + (value[..., :3] - grey) * saturation
        value[..., 3:] = image[..., 3:]  # transparency is no colour
    tinted: Image = np.clip(value, 0, 255).round().astype(np.uint8)
    return tinted


_WAYS: dict[str, Callable[[Image, float, np.random.Generator], Image]] = {
    "flip": _flip,
    "rotate": _rotate,
    "crop": _crop,
    "scale": _scale,
    "colour": _colour,
}


def _framed(image: Image) -> Image:
    """With its own reflection around it, so that turning it shows no black corners."""
    edges = [(side // 2, side // 2) for side in image.shape[:2]]
    return np.pad(image, [*edges, *[(0, 0)] * (image.ndim - 2)], mode="symmetric")


def _middle(image: Image, like: Image) -> Image:
    top, left = ((a - b) // 2 for a, b in zip(image.shape[:2], like.shape[:2], strict=True))
    height, width = like.shape[:2]
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def _resized(image: Image, height: int, width: int) -> Image:
    return _each_channel(image, lambda part, pillow: part.resize((width, height), pillow.BILINEAR))


def _each_channel(image: Image, change: Callable[[Any, Any], Any]) -> Image:
    """Pillow knows few numbers of channels; one at a time it takes any."""
    from PIL import Image as Pictures

    def one(part: Image) -> Image:
        changed = change(Pictures.fromarray(np.ascontiguousarray(part)), Pictures.Resampling)
        return np.asarray(changed, np.uint8)

    if image.ndim == 2:
        return one(image)
    return np.stack([one(image[..., place]) for place in range(image.shape[2])], -1)
