"""Scores of images as the file that RSNA's challenge grades: one row per breast, ``prediction_id,cancer``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmammo.evaluation.functional import breast_scores
from mmmammo.io.intake import first_of
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import Laterality, MammoError

HEAD = ('prediction_id', 'cancer')
RULES = ('mean', 'max')


@dataclass(frozen=True)
class Submission:
    """What will be written.

    Args:
        scores: Prediction id -> score, in the order of the file.
        n_images: Rows they come from.
        filled: Breasts without an image, which got the score given for them.
        one_sided: Patients with one breast only.
    """

    scores: Mapping[str, float]
    n_images: int
    filled: tuple[str, ...]
    one_sided: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(HEAD)
            writer.writerows((name, repr(score)) for name, score in self.scores.items())


@dataclass(frozen=True)
class _Images:
    patients: list[str]
    sides: list[str]
    scores: list[float]


def make_submission(
    table: Path,
    *,
    score: str = 'score',
    rule: str = 'mean',
    threshold: float | None = None,
    expected: Path | None = None,
    missing: float | None = None,
) -> Submission:
    """One score per breast, named ``<patient>_<side>``.

    Args:
        table: CSV with ``patient_id``, ``laterality``, ``image_id`` and a column of scores; labels are not needed.
        score: The column.
        rule: Over the images of a breast, one of :data:`RULES`.
        threshold: Write 1 above this score and 0 elsewhere, as thresholds of cross-validation are meant; pF1 is often
            higher so.
        expected: CSV with the ``prediction_id`` of every breast that is asked for, such as ``sample_submission.csv`` or
            ``test.csv``; its order is kept.
        missing: Score of breasts that are asked for and have no image. Without one they are refused.

    Raises:
        MammoError: On a row that cannot be used, an image that comes twice, a patient with several exams, or breasts
            that are missing or not asked for.
    """
    for field, value in (('threshold', threshold), ('missing', missing)):
        if value is not None and not 0 <= value <= 1:
            raise _error('submission', field, value, 'a number in [0, 1]', 'correct it')
    if rule not in RULES:
        raise _error('submission', 'rule', repr(rule), f'one of {RULES}', 'correct it')
    images = _read_images(table, score)
    breasts = breast_scores(images.scores, images.patients, images.sides, rule)
    found = dict(zip(breasts.ids, breasts.scores.tolist(), strict=True))
    names = sorted(found, key=_order)
    absent: tuple[str, ...] = ()
    if expected is not None:
        names = _names(expected)
        absent = _require_same(table, expected, found, names, missing)
    scores = {name: found[name] if name in found else float(missing or 0.0) for name in names}
    if threshold is not None:
        scores = {name: float(value > threshold) for name, value in scores.items()}
    return Submission(scores, len(images.scores), absent, _one_sided(names))


def _read_images(path: Path, score: str) -> _Images:
    lines = _read(path, ('patient_id', 'laterality', 'image_id', score))
    images, exams, seen = _Images([], [], []), dict[str, str](), set[str]()
    for number, line in lines:
        where = f'{path}, line {number}'
        if line['image_id'] in seen or not line['image_id']:
            raise _error(where, 'image_id', repr(line['image_id']), 'an id, each once', 'remove repeated rows')
        seen.add(line['image_id'])
        exam = line.get('exam_id') or ''
        if exams.setdefault(line['patient_id'], exam) != exam:
            found = f'exam {exam!r} of patient {line["patient_id"]!r}, who also has {exams[line["patient_id"]]!r}'
            raise _error(where, 'exam_id', found, 'one exam per patient', 'a prediction_id cannot tell exams apart')
        images.patients.append(_patient(where, line['patient_id']))
        images.sides.append(_side(where, line['laterality']))
        images.scores.append(_score(where, score, line[score]))
    return images


def _names(path: Path) -> list[str]:
    """Prediction ids in the order of a file, each once: ``test.csv`` repeats them for every view."""
    return list(dict.fromkeys(line['prediction_id'] for _, line in _read(path, ('prediction_id',))))


def _read(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            reader = csv.DictReader(file)
            lines = [(reader.line_num, {k: (v or '').strip() for k, v in line.items() if k}) for line in reader]
            head = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise _error(path, 'file', err, 'a CSV in UTF-8', 'check the path') from err
    lacking = [name for name in columns if name not in head]
    if lacking or not lines:
        found = first_of(head, 30) if lacking else 'no rows below a head'
        expected = f'also {", ".join(lacking)}' if lacking else 'a head and rows'
        raise _error(path, 'columns', found, expected, 'give scores.csv of tools/test.py or tools/crossval.py')
    return lines


def _require_same(
    table: Path, expected: Path, found: Mapping[str, float], names: Sequence[str], missing: float | None
) -> tuple[str, ...]:
    """The breasts without an image."""
    further = sorted(set(found) - set(names), key=_order)
    if further:
        words = f'breasts that {expected} does not ask for ({len(further)}): {first_of(further)}'
        raise _error(table, 'breasts', words, f'those of {expected}', 'score the images of that set')
    absent = tuple(name for name in names if name not in found)
    if absent and missing is None:
        words = f'no image of {len(absent)} of {len(names)} breasts: {first_of(absent)}'
        remedy = 'see quality.csv of the prepared set; or give these a score with --missing'
        raise _error(table, 'breasts', words, f'every breast of {expected}', remedy)
    return absent


def _one_sided(names: Iterable[str]) -> tuple[str, ...]:
    sides: dict[str, int] = {}
    for name in names:
        patient = name.rpartition('_')[0]
        sides[patient] = sides.get(patient, 0) + 1
    return tuple(patient for patient, count in sides.items() if count == 1)


def _patient(where: str, text: str) -> str:
    if not text:
        raise _error(where, 'patient_id', 'nothing', 'an id', 'complete it')
    return text


def _side(where: str, text: str) -> str:
    side = Laterality.parse(text)
    if side is Laterality.UNKNOWN:
        raise _error(where, 'laterality', repr(text), 'L or R', 'complete it; it is not guessed')
    return side.value


def _score(where: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float('nan')
    if not 0 <= value <= 1:
        raise _error(where, name, repr(text), 'a number in [0, 1]', 'give probabilities, not logits')
    return value


def _order(name: str) -> tuple[int, str]:
    """Patients that are numbers as numbers."""
    patient = name.rpartition('_')[0]
    return (int(patient) if patient.isdecimal() else 0), name


def _error(where: object, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(str(where), field=field, found=found, expected=expected, remedy=remedy)
