"""What can be wrong with an image, by name, and what a user may decide about it."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """Everything the quality gate looks for; the value is what ``--policy`` and ``quality.csv`` call it.

    ``TABLES`` is what a source's own tables have wrong, ``UNREADABLE`` what no decoder makes an image of, ``NO_BREAST``
    an image of something else that carries no word of it.
    """

    UNREADABLE = 'unreadable'
    TABLES = 'tables'
    FOR_PROCESSING = 'for_processing'
    TOMOSYNTHESIS = 'tomosynthesis'
    SYNTHETIC_2D = 'synthetic_2d'
    MODALITY = 'modality'
    MAGNIFICATION = 'magnification'
    SPECIMEN = 'specimen'
    STEREO = 'stereo'
    IMPLANT = 'implant'
    BURNED_IN = 'burned_in'
    BLACK = 'black'
    NO_BREAST = 'no_breast'
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
