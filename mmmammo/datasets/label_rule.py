"""From the labels of a prepared image to the target of a classifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmammo.structures import MammoError

TASKS = ('binary', 'multiclass', 'multilabel')
HAS_FINDING = 'has_finding'
"""A label every image has: 1 with an annotated finding, else 0."""
_BINARY = {0: 0, 1: 1}


@dataclass(frozen=True)
class LabelRule:
    """Which labels are asked of an image, and what each value means.

    Args:
        keys: Keys of an image's ``labels``, or :data:`HAS_FINDING`. One, unless the task is ``'multilabel'``.
        task: ``'binary'``: ``gt_label`` 0 or 1, for a softmax over two classes. ``'multiclass'``: ``gt_label``.
            ``'multilabel'``: ``gt_score`` with 0 or 1 per key, for sigmoids; with one key, for a single output.
        classes: Names, by class number; with ``'multilabel'`` one per key.
        mapping: Value -> class number, and with ``'multilabel'`` 0 or 1. A value that is not in it counts as absent.
    """

    keys: tuple[str, ...]
    task: str
    classes: tuple[str, ...]
    mapping: Mapping[Hashable, int]

    @classmethod
    def of(
        cls,
        keys: str | Sequence[str],
        task: str = 'binary',
        classes: Sequence[str] | None = None,
        mapping: Mapping[Hashable, int] | None = None,
    ) -> LabelRule:
        """A rule as configs write it.

        Args:
            keys: See the class.
            task: See the class.
            classes: By default ``('no <key>', '<key>')``, or the keys of a multi-label task.
            mapping: By default 0 -> 0 and 1 -> 1, or for a multi-class task each class name -> its number.

        Raises:
            MammoError: If the parts do not fit each other.
        """
        keys = (keys,) if isinstance(keys, str) else tuple(keys)
        if task not in TASKS:
            raise _error('task', repr(task), f'one of {TASKS}')
        if not keys or (task != 'multilabel' and len(keys) != 1):
            raise _error('labels', keys, "one key, or several with task='multilabel'")
        if task == 'multiclass' and not classes:
            raise _error('classes', classes, "their names, with task='multiclass'")
        names = tuple(classes or (keys if task == 'multilabel' else (f'no {keys[0]}', keys[0])))
        expected = {'binary': 2, 'multilabel': len(keys)}.get(task, len(names))
        if len(names) != expected:
            raise _error('classes', names, f'{expected} names')
        return cls(keys, task, names, _checked(mapping, task, names))

    def target(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """``gt_label`` or ``gt_score`` of an image record; ``None`` if a label is absent."""
        numbers = [self.mapping.get(value) for value in self.values(record)]
        if None in numbers:
            return None
        if self.task == 'multilabel':
            return {'gt_score': [float(number) for number in numbers if number is not None]}
        return {'gt_label': numbers[0]}

    def values(self, record: Mapping[str, Any]) -> list[Any]:
        """What the record says under each key; ``None`` where nothing."""
        known = {**record['labels'], HAS_FINDING: int(bool(record['instances']))}
        return [known.get(key) for key in self.keys]

    def refusal(self, where: str, records: Iterable[Mapping[str, Any]], total: int) -> MammoError:
        """The error for images without a target, with counts of what they have instead.

        Args:
            where: The index file.
            records: These images.
            total: Images of the file.
        """
        records = list(records)
        parts = []
        for i, key in enumerate(self.keys):
            odd = Counter(value for value in (self.values(r)[i] for r in records) if value not in self.mapping)
            counts = (f'{"absent" if value is None else repr(value)} {n}' for value, n in odd.most_common())
            parts.append(f'{key}: {", ".join(counts) or "all known"}')
        return MammoError(
            where,
            field=f'labels {", ".join(self.keys)}',
            found=f'{len(records)} of {total} images without a known value ({"; ".join(parts)})',
            expected=f'one of {list(self.mapping)} for every image',
            remedy="correct the dataset's labels or mapping, or set absent='leave_out' to go on without these images",
        )


def _checked(mapping: Mapping[Hashable, int] | None, task: str, classes: tuple[str, ...]) -> dict[Hashable, int]:
    if mapping is None:
        return {name: number for number, name in enumerate(classes)} if task == 'multiclass' else dict(_BINARY)
    allowed = range(len(classes)) if task == 'multiclass' else range(2)
    if not mapping or not set(mapping.values()) <= set(allowed):
        raise _error('mapping', dict(mapping), f'values to class numbers, of {list(allowed)}')
    return dict(mapping)


def _error(field: str, found: object, expected: str) -> MammoError:
    return MammoError('ViewClassificationDataset', field=field, found=found, expected=expected, remedy='correct it')
