"""What the other views of an exam say about the detections of one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class CrossViewEvidence:
    """What each detection of an image has for itself, and what is found at its place in the partner views.

    What is found there is a detection's score times how well its place and size agree, of the best one: 1 is a sure
    detection at exactly the expected place, 0 is none at all, ``nan`` is no such view.

    Args:
        own: (n,) scores in [0, 1].
        ipsilateral: (n,) in [0, 1], in the other projection of the same breast; where several detections could be what
            is found there, each has its share of it.
        contralateral: (n,) in [0, 1], at the mirrored place in the same projection of the other breast.
    """

    own: npt.NDArray[np.float64]
    ipsilateral: npt.NDArray[np.float64]
    contralateral: npt.NDArray[np.float64]
