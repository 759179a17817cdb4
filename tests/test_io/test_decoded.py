"""Pixels that are decoded once."""

import os

import numpy as np
import pytest

from mmmammo.io import CorruptFile, read_decoded, read_png16, write_png8, write_png16
from mmmammo.io.decoded import decoded_path
from mmmammo.structures import MammoError

RAMP = np.linspace(0, 1, 60 * 40).reshape(60, 40)


@pytest.fixture()
def image(tmp_path):
    path = tmp_path / 'set' / 'images' / 'exam' / 'L_CC.png'
    path.parent.mkdir(parents=True)
    write_png16(path, RAMP)
    return path


@pytest.mark.parametrize('write', [write_png8, write_png16])
def test_first_and_later_reads_are_those_of_the_png(image, write):
    write(image, RAMP)
    for found in (read_decoded(image), read_decoded(image)):
        np.testing.assert_array_equal(found, read_png16(image))
        assert found.dtype == np.float32 and found.flags.writeable


def test_later_reads_do_not_decode(image):
    read_decoded(image)
    time = image.stat().st_mtime_ns
    image.write_bytes(b'no image any more')
    os.utime(image, ns=(time, time))
    assert np.abs(read_decoded(image) - RAMP).max() < 1 / 65535


def test_an_image_that_was_prepared_again_is_read_again(image):
    read_decoded(image)
    write_png16(image, RAMP[::-1])
    os.utime(image, (2_000_000_000, 2_000_000_000))
    np.testing.assert_array_equal(read_decoded(image), read_png16(image))
    np.testing.assert_array_equal(read_decoded(image), read_png16(image))


def test_the_pixels_lie_beside_the_images(image):
    read_decoded(image)
    kept = image.parents[2] / 'decoded' / 'exam' / 'L_CC.npy'
    assert kept == decoded_path(image) and np.load(kept).dtype == np.uint16
    assert sorted(path.name for path in kept.parent.iterdir()) == ['L_CC.npy']
    assert decoded_path('images/images/e/a.png').as_posix() == 'images/decoded/e/a.npy'


def test_an_image_of_no_set_is_refused(tmp_path):
    with pytest.raises(MammoError, match='without keep_decoded'):
        read_decoded(tmp_path / 'L_CC.png')


def test_a_missing_image_is_named(image):
    read_decoded(image)
    image.unlink()
    with pytest.raises(CorruptFile, match=r'L_CC\.png'):
        read_decoded(image)


def test_damaged_pixels_name_the_file_to_delete(image):
    read_decoded(image)
    kept, time = decoded_path(image), image.stat().st_mtime
    kept.write_bytes(kept.read_bytes()[:200])
    os.utime(kept, (time, time))
    with pytest.raises(CorruptFile, match=r'L_CC\.npy.*delete the file'):
        read_decoded(image)


def test_a_folder_that_cannot_be_written_is_told(image):
    (image.parents[2] / 'decoded').write_text('in the way')
    with pytest.raises(MammoError, match='keep_decoded=False'):
        read_decoded(image)
