"""Whose exams the folders of a set are, where no file says it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

MOST_EXAMS = 30
"""In the folder of one woman; one that holds more is a group of women."""
_GROUPS = """
    abnormal all anonymized anonymised benign biopsied calc calcification calcifications cancer cancers cases cohort
    control controls data dataset dcm development dicom dicoms exams export external followup free healthy holdout
    image images internal interval invasive jpeg jpg labelled malignancy malignant mammo mammogram mammograms
    mammography mass masses neg negative negatives no non normal normals patients png pos positive positives raw
    recalled screen screening studies suspicious test testing train training unlabelled val valid validation without
"""
_NUMBERED = 'batch bi birads class density fold group part rads set site split subset vendor'

GROUPS = frozenset(_GROUPS.split())
"""Words of folders that sort exams by what they show, what they are for, or nothing."""
NUMBERED = frozenset(_NUMBERED.split())
"""Words of folders that do so with a number: ``birads_4``, ``fold1``."""


def patients_of_exams(exams: Sequence[str]) -> dict[str, str]:
    """Exam -> patient, both as folders: the uppermost folder above the exam that may be a woman's, else the exam.

    A folder is no woman's that holds all exams, or more than :data:`MOST_EXAMS`, or is named after a group: ``cancer``,
    ``birads_4``, ``fold2-train``; but not ``cancer_017``. The uppermost, so that exams of one woman stay together.

    Args:
        exams: With ``/`` between folders.
    """
    different = set(exams)
    held = Counter(folder for exam in different for folder in _above(exam))
    return {exam: next((f for f in _above(exam) if _may_be_patient(f, held, len(different))), exam) for exam in exams}


def _above(exam: str) -> Iterable[str]:
    """Folders above an exam, from the uppermost on."""
    parts = exam.split('/')
    return ('/'.join(parts[:depth]) for depth in range(1, len(parts)))


def _may_be_patient(folder: str, held: Mapping[str, int], total: int) -> bool:
    words = re.findall(r'[a-z]+|\d+', folder.rsplit('/', 1)[-1].lower())
    return held[folder] < total and held[folder] <= MOST_EXAMS and not _names_a_group(words)


def _names_a_group(words: Sequence[str]) -> bool:
    """Of words and numbers; a number has to follow a word that takes one."""
    named = [word for word in words if not word.isdigit()]
    numbers = [i for i, word in enumerate(words) if word.isdigit()]
    numbered = all(i > 0 and words[i - 1] in NUMBERED for i in numbers)
    return bool(named) and numbered and all(word in GROUPS | NUMBERED for word in named)
