"""What a run, or the annotations of a prepared set, say of images besides scores: whose they are, and their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmammo.io.exam_index import read_index
from mmmammo.io.score_tables import ScoreTable

LABELS = (
    'exam_outcome',
    'outcome',
    'cancer',
    'birads',
    'density',
    'age',
    'biopsy',
    'implant',
    'machine',
    'manufacturer',
    'reader1',
    'reader2',
)
"""Labels of a prepared set that no model changes, and so the same in every run on it. Not ``fold``: cuts differ."""
LESIONS = 'true_lesions'
"""Column of the tables made of detections."""


@dataclass(frozen=True)
class KnownImage:
    """An image, or the breast or exam that is a row of a table. Texts are empty where nothing is known.

    Args:
        exam_id: Of the image.
        patient_id: Pseudonymous.
        image_id: Empty for breasts and exams.
        laterality: ``'L'``, ``'R'`` or ``'U'``.
        view: Abbreviation; empty for breasts and exams.
        lesions: ``'some'`` or ``'none'``.
        labels: Of the prepared set.
    """

    exam_id: str
    patient_id: str = ''
    image_id: str = ''
    laterality: str = ''
    view: str = ''
    lesions: str = ''
    labels: Mapping[str, Any] = field(default_factory=dict)


def images_of_index(annotations: Sequence[Path]) -> list[KnownImage]:
    """All images of some splits.

    Args:
        annotations: Indices of the prepared set.

    Raises:
        MammoError: If one is faulty.
    """
    return [
        KnownImage(
            exam_id=image.exam_id,
            patient_id=image.patient_id,
            image_id=str(image.image_id),
            laterality=image.laterality.value,
            view=image.view.value,
            lesions='some' if image.findings else 'none',
            labels={name: value for name, value in image.labels.items() if value is not None},
        )
        for path in annotations
        for image in read_index(path).images
    ]


def images_of_table(table: ScoreTable) -> list[KnownImage]:
    """The rows of a table, with those of ``LABELS`` that it has columns of.

    Args:
        table: Of a run. A patient with the id of her exam is one whom the table did not name.
    """
    blank = ('',) * len(table.ids)
    view, lesions = (table.attributes.get(name, blank) for name in ('view', LESIONS))
    labels = {name: table.attributes[name] for name in LABELS if name in table.attributes}
    named = table.level == 'image'
    return [
        KnownImage(
            exam_id=exam,
            patient_id='' if table.patient_ids[i] == exam else table.patient_ids[i],
            image_id=table.ids[i] if named else '',
            laterality=table.lateralities[i],
            view=view[i],
            lesions=lesions[i],
            labels={name: column[i] for name, column in labels.items() if column[i] != ''},
        )
        for i, exam in enumerate(table.exam_ids)
    ]
