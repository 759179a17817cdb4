"""What can be wrong with an image, by name, and what a user may decide about it."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """Everything the quality gate looks for; the value is what ``--policy`` and ``quality.csv`` call it."""

    FOR_PROCESSING = 'for_processing'
    TOMOSYNTHESIS = 'tomosynthesis'
    MODALITY = 'modality'
    MAGNIFICATION = 'magnification'
    SPECIMEN = 'specimen'
    STEREO = 'stereo'
    IMPLANT = 'implant'
    BURNED_IN = 'burned_in'
    BLACK = 'black'
    SATURATED = 'saturated'
    BIT_DEPTH = 'bit_depth'
    LATERALITY = 'laterality'
    ANNOTATION = 'annotation'


class Policy(StrEnum):
    """What is done about a problem.

    ``ACCEPT`` uses the image as it is and warns, ``MEND`` puts it right and says so, ``QUARANTINE`` leaves it out.
    """

    ACCEPT = 'accept'
    MEND = 'mend'
    QUARANTINE = 'quarantine'
