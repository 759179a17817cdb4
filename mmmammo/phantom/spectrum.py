"""Fields whose power spectrum falls as 1/f^beta, and the measurement of beta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

FloatArray = npt.NDArray[np.floating]
FIT_RANGE = (0.15, 0.7)
"""Cycles per mm over which beta is fitted; below lies the breast's shape, above the noise."""


def frequencies(shape: tuple[int, ...], spacing_mm: float, stretch: float = 1.0) -> npt.NDArray[np.float32]:
    """Magnitude of the frequency, cycles per mm, on the half grid of ``rfftn``.

    Args:
        shape: Of the image or volume.
        spacing_mm: Of its samples.
        stretch: Above 1, the last axis counts ``stretch`` times, so that structures made with it run along that axis.
    """
    axes = [np.asarray(fft.fftfreq(n, spacing_mm), dtype=np.float32) for n in shape[:-1]]
    axes.append(stretch * np.asarray(fft.rfftfreq(shape[-1], spacing_mm), dtype=np.float32))
    squares = np.float32(0)
    for i, axis in enumerate(axes):
        squares = squares + (axis**2).reshape([-1 if j == i else 1 for j in range(len(shape))])
    return np.asarray(np.sqrt(squares), dtype=np.float32)


def filtered_noise(shape: tuple[int, ...], gain: FloatArray, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """White noise through the filter ``gain`` (on the half grid), scaled to zero mean and unit deviation."""
    noise = fft.rfftn(rng.standard_normal(shape, dtype=np.float32))
    noise *= gain
    field = fft.irfftn(noise, s=shape)
    field -= field.mean()
    field /= field.std() + 1e-12
    return np.asarray(field, dtype=np.float32)


def power_law_noise(
    shape: tuple[int, ...], spacing_mm: float, beta: float, rng: np.random.Generator, lowest: float = 0.01
) -> npt.NDArray[np.float32]:
    """Gaussian field with power spectrum 1/f^beta, flat below ``lowest`` cycles per mm."""
    frequency = np.maximum(frequencies(shape, spacing_mm), lowest)
    return filtered_noise(shape, frequency ** np.float32(-beta / 2), rng)


def band_noise(
    shape: tuple[int, ...], spacing_mm: float, centre: float, rng: np.random.Generator, stretch: float = 1.0
) -> npt.NDArray[np.float32]:
    """Gaussian field of structures about ``1 / centre`` mm apart."""
    frequency = np.maximum(frequencies(shape, spacing_mm, stretch), 1e-6)
    return filtered_noise(shape, np.exp(-((np.log(frequency / centre) / 0.6) ** 2)), rng)


def impose_power_law(image: FloatArray, spacing_mm: float, beta: float, lowest: float) -> npt.NDArray[np.float32]:
    """Rescale the amplitudes of an image, ring by ring, so that above ``lowest`` its power falls as 1/f^beta.

    Phases, and with them lines and edges, stay. The ring at ``lowest`` sets the level.

    Args:
        image: (h, w).
        spacing_mm: Of its pixels.
        beta: Wanted exponent.
        lowest: Cycles per mm; what is coarser is left as it is.
    """
    spectrum = fft.rfft2(np.asarray(image, dtype=np.float32))
    frequency = frequencies(image.shape, spacing_mm)
    edges = np.geomspace(lowest, frequency.max(), 25)
    rings = np.digitize(frequency, edges)
    power = np.bincount(rings.ravel(), (spectrum.real**2 + spectrum.imag**2).ravel(), minlength=26)
    power /= np.maximum(np.bincount(rings.ravel(), minlength=26), 1)
    centres = np.sqrt(edges[:-1] * edges[1:])
    usable = power[1:25] > 0
    gain = 0.5 * (np.log(power[1]) - beta * np.log(centres / centres[0]) - np.log(power[1:25], where=usable))
    log_gain = np.interp(np.log(np.maximum(frequency, lowest)), np.log(centres[usable]), gain[usable])
    spectrum *= np.exp(log_gain).astype(np.float32)
    return np.asarray(fft.irfft2(spectrum, s=image.shape), dtype=np.float32)


@dataclass(frozen=True)
class SpectrumSlope:
    """Fitted fall of a radial power spectrum.

    Args:
        beta: Power falls as 1/f^beta; ``nan`` without a region.
        num_regions: Square regions averaged.
    """

    beta: float
    num_regions: int


def measure_slope(
    images: list[FloatArray], masks: list[npt.NDArray[np.bool_]], spacing_mm: float, region_mm: float = 25.6
) -> SpectrumSlope:
    """Fit beta the usual way: square regions inside the masks, mean removed, Hann window, periodograms averaged.

    Regions overlap by three quarters. The fit is linear in log-log over :data:`FIT_RANGE`, if sampled so finely.

    Args:
        images: (h, w) each.
        masks: (h, w) each; a region counts if it lies inside wholly.
        spacing_mm: Of the pixels.
        region_mm: Side of a region.
    """
    side = max(round(region_mm / spacing_mm), 8)
    window = np.outer(np.hanning(side), np.hanning(side))
    total, count = np.zeros((side, side // 2 + 1)), 0
    for image, mask in zip(images, masks, strict=True):
        for y in range(0, image.shape[0] - side + 1, side // 4):
            for x in range(0, image.shape[1] - side + 1, side // 4):
                if mask[y : y + side, x : x + side].all():
                    region = image[y : y + side, x : x + side]
                    total += np.abs(np.fft.rfft2((region - region.mean()) * window)) ** 2
                    count += 1
    return SpectrumSlope(_fit(total, frequencies((side, side), spacing_mm), spacing_mm, side), count)


def _fit(power: FloatArray, frequency: FloatArray, spacing_mm: float, side: int) -> float:
    """Slope of the ring means of log power over log frequency."""
    if not power.any():
        return float('nan')
    rings = np.rint(frequency * side * spacing_mm).astype(int).ravel()
    counts = np.maximum(np.bincount(rings), 1)
    mean_power = np.bincount(rings, power.ravel()) / counts
    mean_frequency = np.bincount(rings, frequency.ravel()) / counts
    highest = min(FIT_RANGE[1], 0.8 / (2 * spacing_mm))
    fitted = (mean_frequency >= FIT_RANGE[0]) & (mean_frequency <= highest)
    return float(-np.polyfit(np.log(mean_frequency[fitted]), np.log(mean_power[fitted]), 1)[0])
