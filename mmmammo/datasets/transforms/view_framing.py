"""The views of paper 4's models: resized to a width, then cut at random or in the middle."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from mmcv.transforms import BaseTransform

from mmmammo.datasets.transforms.randomness import call_generator, checked_probability
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.preprocessing.framing import Image, centre_corner, cut_window, random_rigid, resize_to_width, warp
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import Affine, MammoError


class _Framing(BaseTransform):
    """Base of steps that replace the image by another one and say by which affine."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace the image."""
        image, affine = self.frame(results['img'])
        moved(results, image, affine)
        return results

    @abstractmethod
    def frame(self, image: Image) -> tuple[Image, Affine]:
        """The new image, and the affine from the old one."""

    def __repr__(self) -> str:
        arguments = ', '.join(f'{name}={value}' for name, value in vars(self).items())
        return f'{type(self).__name__}({arguments})'


def moved(results: dict[str, Any], image: Image, affine: Affine) -> None:
    """Put a new image into the results, and what it is of the old one."""
    results['homography_matrix'] = (affine @ current_affine(results)).matrix
    results['img'] = image
    results['img_shape'] = image.shape


def window_size(owner: str, size: int | Sequence[int]) -> tuple[int, int]:
    """(width, height) of a square's side or of (height, width), as configs write sizes.

    Raises:
        MammoError: If it is neither.
    """
    height, width = (size, size) if isinstance(size, int) else tuple(size) if len(size) == 2 else (0, 0)
    if min(height, width) < 1:
        raise MammoError(
            owner, field='size', found=size, expected='pixels, or (height, width)', remedy='correct it in the config'
        )
    return int(width), int(height)


@TRANSFORMS.register_module()
class ResizeToWidth(_Framing):
    """Resize the image to a width, whatever its height; mmdet's ``Resize`` with ``keep_ratio`` takes the shorter side.

    Modified Keys: img, img_shape, homography_matrix.

    Args:
        width: In pixels; narrower images are enlarged.
    """

    def __init__(self, width: int) -> None:
        self.width = window_size('ResizeToWidth', width)[0]

    def frame(self, image: Image) -> tuple[Image, Affine]:
        """Resize."""
        return resize_to_width(image, self.width)


@TRANSFORMS.register_module()
class CentreCrop(_Framing):
    """Cut out the middle; where the image is smaller, it is black all round.

    Modified Keys: img, img_shape, homography_matrix.

    Args:
        size: Of the window: side of a square, or (height, width).
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = window_size('CentreCrop', size)

    def frame(self, image: Image) -> tuple[Image, Affine]:
        """Cut."""
        x, y = centre_corner(image.shape[::-1], self.size)
        return cut_window(image, (x, y), self.size), Affine.translation(-x, -y)


@TRANSFORMS.register_module()
class RandomRigidCrop(_Framing):
    """Pad with black, mirror, rotate and cut at random, in one interpolation. For training pipelines only.

    Modified Keys: img, img_shape, homography_matrix.

    Args:
        size: Of the window: side of a square, or (height, width).
        margin: Black pixels beyond the window on each side of the canvas it is drawn from.
        degrees: Largest rotation, either way.
        mirror_prob: Chance of a left-right mirror.

    Raises:
        MammoError: If an argument is out of range.
    """

    def __init__(
        self, size: int | Sequence[int], margin: int = 64, degrees: float = 10.0, mirror_prob: float = 0.5
    ) -> None:
        if margin < 0 or not 0 <= degrees <= 180:
            raise MammoError(
                'RandomRigidCrop',
                field='margin, degrees',
                found=(margin, degrees),
                expected='pixels from 0 up, and 0 to 180',
                remedy='correct them in the config',
            )
        self.size = window_size('RandomRigidCrop', size)
        self.margin = margin
        self.degrees = degrees
        self.mirror_prob = checked_probability('RandomRigidCrop', mirror_prob)

    def frame(self, image: Image) -> tuple[Image, Affine]:
        """Draw a map and apply it."""
        rng = call_generator()
        affine = random_rigid(image.shape[::-1], self.size, self.margin, self.degrees, self.mirror_prob, rng)
        return warp(image, affine, self.size), affine
