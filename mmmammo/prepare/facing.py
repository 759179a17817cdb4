"""Boxes that are those of the mirrored image: some tables have the coordinates of a copy that faced the other way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmmammo.prepare.findings import mapped
from mmmammo.prepare.gate.decisions import Fault, Gate
from mmmammo.preprocessing import SmallCopy
from mmmammo.structures import Affine, Finding, Problem

_BESIDE = 0.02
_WITHIN = 0.9


def facing_the_breast(findings: Sequence[Finding], small: SmallCopy, gate: Gate) -> list[Finding]:
    """Mirror the findings of an image of which one lies beside the breast, and its mirror image in it.

    The others are of the same copy: they are mirrored too, unless that would put them beside the breast. Where a breast
    is so wide that all boxes lie in it either way, nothing can be told.

    Args:
        findings: In source pixels, all inside of the image.
        small: Of the image.
        gate: Decides whether that is mended.

    Raises:
        MammoError: If it is not, and the image has to be left out.
    """
    flip = Affine.mirror(small.shape[1])
    others = [mapped(finding, flip) for finding in findings]
    here, there = ([_share_of_breast(one, small) for one in side] for side in (findings, others))
    proofs = [i for i in range(len(findings)) if here[i] <= _BESIDE and there[i] >= _WITHIN]
    if not (proofs and gate.decide(_fault(findings[proofs[0]]))):
        return list(findings)
    return [_told(other) if share > _BESIDE else one for one, other, share in zip(findings, others, there, strict=True)]


def _fault(finding: Finding) -> Fault:
    return Fault(
        Problem.ANNOTATION,
        f'annotation ({finding.category})',
        f'({finding.category}) beside the breast, whose mirror image is in it',
        'a box in the breast',
        'correct the annotation; boxes are in pixels of the source file',
        mended='mirrored',
    )


def _told(finding: Finding) -> Finding:
    return replace(finding, attributes={**finding.attributes, 'mirrored': 'the table has the boxes of a mirrored copy'})


def _share_of_breast(finding: Finding, small: SmallCopy) -> float:
    """Part of the box that is breast; of at least one pixel of the copy."""
    x1, y1, x2, y2 = np.array(finding.bbox) / small.factor
    height, width = small.breast.shape
    left, top = (min(int(v), size - 1) for v, size in ((x1, width), (y1, height)))
    right, bottom = max(int(np.ceil(x2)), left + 1), max(int(np.ceil(y2)), top + 1)
    return float(small.breast[top:bottom, left:right].mean())
