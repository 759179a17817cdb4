"""Boxes beside the breast whose mirror image is in it."""

import numpy as np
import pytest

from mmmammo.prepare.facing import facing_the_breast
from mmmammo.prepare.gate.decisions import Gate
from mmmammo.prepare.policies import completed
from mmmammo.preprocessing import SmallCopy
from mmmammo.structures import Finding, MammoError, Policy, Problem

WIDTH = 200


@pytest.fixture()
def small():
    """A breast on the left half of an image."""
    image = np.zeros((300, WIDTH), np.float32)
    rows, columns = np.mgrid[:300, :WIDTH]
    image[((rows - 150) / 120) ** 2 + (columns / 90) ** 2 < 1] = 0.6
    return SmallCopy.of(image)


def faced(boxes, small, **policies):
    gate = Gate('x.dcm', completed(policies))
    findings = [Finding(tuple(box), 'mass', polygons=(np.array([box[:2], box[2:]], float),)) for box in boxes]
    return facing_the_breast(findings, small, gate), gate


def test_a_box_in_the_background_is_mirrored_with_its_outline_and_told(small):
    (found,), gate = faced([(150, 140, 170, 160)], small)
    assert found.bbox == (30, 140, 50, 160)
    assert found.polygons[0].tolist() == [[50, 140], [30, 160]]
    assert 'mirrored' in found.attributes and 'mirrored' in gate.mended[0]


def test_boxes_beside_it_go_with_it_unless_that_puts_them_outside(small):
    found, gate = faced([(150, 140, 170, 160), (100, 140, 190, 160), (2, 2, 12, 12), (20, 140, 30, 150)], small)
    assert [finding.bbox for finding in found] == [
        (30, 140, 50, 160),
        (10, 140, 100, 160),
        (2, 2, 12, 12),
        (20, 140, 30, 150),  # its mirror image is in the background
    ]
    assert len(gate.mended) == 1


@pytest.mark.parametrize('box', [(30, 140, 50, 160), (70, 140, 110, 160), (150, 2, 170, 12)])
def test_others_stay(small, box):
    """In the breast; at its border; and in the background on both sides."""
    (found,), gate = faced([box], small)
    assert found.bbox == box and not gate.mended


def test_who_wants_no_mending_gets_a_refusal(small):
    with pytest.raises(MammoError, match='beside the breast'):
        faced([(150, 140, 170, 160)], small, **{Problem.ANNOTATION: Policy.QUARANTINE})


def test_an_image_without_a_breast_says_nothing(small):
    empty = SmallCopy.of(np.zeros((300, WIDTH), np.float32))
    (found,), gate = faced([(150, 140, 170, 160)], empty)
    assert found.bbox == (150, 140, 170, 160) and not gate.mended
