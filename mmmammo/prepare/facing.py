"""Boxes that are those of the mirrored image: some tables have the coordinates of a copy that faced the other way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from mmmammo.prepare.findings import mapped
from mmmammo.prepare.gate.decisions import Fault, Gate
from mmmammo.preprocessing import SmallCopy
from mmmammo.structures import Affine, Finding, Problem

_BESIDE = 0.02
_WITHIN = 0.9


def facing_the_breast(findings: Sequence[Finding], small: SmallCopy, gate: Gate) -> list[Finding]:
    """Mirror the findings that lie beside the breast, and whose mirror image lies in it.

    Args:
        findings: In source pixels, all inside of the image.
        small: Of the image.
        gate: Decides whether that is mended.

    Raises:
        MammoError: If it is not, and the image has to be left out.
    """
    kept = list(findings)
    for i, other in _mirrored(findings, small):
        fault = Fault(
            Problem.ANNOTATION,
            f'annotation ({other.category})',
            f'({other.category}) beside the breast, whose mirror image is in it',
            'a box in the breast',
            'correct the annotation; boxes are in pixels of the source file',
            mended='mirrored',
        )
        if gate.decide(fault):
            kept[i] = other
    return kept


def _mirrored(findings: Sequence[Finding], small: SmallCopy) -> Iterator[tuple[int, Finding]]:
    """Index and mirror image of those that face the wrong way."""
    if not (findings and small.breast.any()):
        return
    flip = Affine.mirror(small.shape[1])
    for i, finding in enumerate(findings):
        other = mapped(finding, flip)
        if _share_of_breast(finding, small) <= _BESIDE and _share_of_breast(other, small) >= _WITHIN:
            yield i, replace(other, attributes={**finding.attributes, 'mirrored': 'the table has it beside the breast'})


def _share_of_breast(finding: Finding, small: SmallCopy) -> float:
    """Part of the box that is breast; of at least one pixel of the copy."""
    x1, y1, x2, y2 = np.array(finding.bbox) / small.factor
    height, width = small.breast.shape
    left, top = (min(int(v), size - 1) for v, size in ((x1, width), (y1, height)))
    right, bottom = max(int(np.ceil(x2)), left + 1), max(int(np.ceil(y2)), top + 1)
    return float(small.breast[top:bottom, left:right].mean())
