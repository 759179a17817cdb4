import numpy as np
import pytest

from mmmammo.phantom.spectrum import band_noise, impose_power_law, measure_slope, power_law_noise


def measure(image, spacing):
    return measure_slope([image], [np.ones(image.shape, dtype=bool)], spacing).beta


@pytest.mark.parametrize('beta', [0.0, 2.0, 3.2])
@pytest.mark.parametrize('spacing', [0.2, 0.45])
def test_measures_the_exponent_it_was_made_with(beta, spacing):
    field = power_law_noise((768, 640), spacing, beta, np.random.default_rng(0))
    assert measure(field, spacing) == pytest.approx(beta, abs=0.12)


def test_imposes_the_exponent_on_another_spectrum():
    rng = np.random.default_rng(1)
    lines = np.exp(-((band_noise((640, 640), 0.2, 0.2, rng) / 0.3) ** 2))
    assert abs(measure(lines, 0.2) - 3.2) > 0.5
    assert measure(impose_power_law(lines, 0.2, 3.2, lowest=0.07), 0.2) == pytest.approx(3.2, abs=0.15)


def test_imposing_keeps_what_is_coarser_than_the_lowest_frequency():
    wave = np.sin(2 * np.pi * np.arange(512) * 4 / 512)[:, None] + np.zeros((512, 512))
    noise = 0.01 * np.random.default_rng(2).standard_normal((512, 512))
    shaped = impose_power_law(wave + noise, 0.2, 3.2, lowest=0.2)
    np.testing.assert_allclose(shaped.mean(axis=1), wave[:, 0], atol=0.02)


def test_no_region_is_nan_not_zero():
    result = measure_slope([np.ones((256, 256))], [np.zeros((256, 256), dtype=bool)], 0.2)
    assert np.isnan(result.beta)
    assert result.num_regions == 0
