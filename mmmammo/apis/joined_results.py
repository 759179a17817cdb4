"""Results of several runs over parts of an archive, put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mmmammo.apis.exam_files import ResultWriter
from mmmammo.apis.exam_journal import MAY_MOVE, STATE, journal_of, read_lines
from mmmammo.apis.exam_writer import ExamWriter
from mmmammo.apis.score_files import ScoreWriter
from mmmammo.prepare.journal import only_one
from mmmammo.structures import MammoError

Told = Callable[[Path, int, int], None]


def join_results(parts: Sequence[Path], out: Path, on_part: Told | None = None) -> int:
    """Write the results of all parts to one folder, which is then as one of a single run: ``--resume`` goes on there.

    Args:
        parts: Folders that ``tools/infer.py`` wrote, of one model and the same options.
        out: The folder; what an earlier call made of these exams there is replaced.
        on_part: Called after each part with how many exams it had, and how many more are left out because files of
            theirs are gone.

    Returns:
        How many exams there are.

    Raises:
        MammoError: If a part is no such folder, is still at work, was made with other options or has an exam of another
            one; or ``out`` is one of them or holds something else.
    """
    _require_apart(parts, out)
    with ExitStack() as stack:
        for part in parts:
            if not journal_of(part).is_file():
                raise _error(part, field=str(journal_of(Path())), found='nothing', expected='results of tools/infer.py')
            stack.enter_context(only_one(part / STATE, 'a run that writes its results here'))
        info = _same_info(parts)
        exams = _all_exams(parts)
        writer: ExamWriter[Any] = stack.enter_context(_writer(parts[0], out, info, exams))
        for part in parts:
            taken, lacking = writer.take_over(part)
            if on_part is not None:
                on_part(part, taken, lacking)
    return len(exams)


def _writer(part: Path, out: Path, info: Mapping[str, Any], exams: Mapping[str, Sequence[Any]]) -> ExamWriter[Any]:
    """Of the kind that made a part."""
    made = next((line['made'] for line in read_lines(journal_of(part)) if 'made' in line), ())
    if ScoreWriter.document in made:
        return ScoreWriter(out, info, exams)
    return ResultWriter(out, info['classes'], info, exams=exams)


def _same_info(parts: Sequence[Path]) -> dict[str, Any]:
    """What made all parts; names of config and checkpoint as of the first."""
    infos = [next((line['info'] for line in read_lines(journal_of(part)) if 'info' in line), {}) for part in parts]
    first = infos[0]
    for part, info in zip(parts, infos, strict=True):
        for key in sorted((first.keys() | info.keys()) - MAY_MOVE):
            if first.get(key) != info.get(key):
                found, expected = json.dumps(info.get(key)), f'{json.dumps(first.get(key))} as {parts[0]} has it'
                raise _error(part, field=key, found=found, expected=expected)
    return dict(first)


def _all_exams(parts: Sequence[Path]) -> dict[str, Sequence[Any]]:
    """Exam -> no files, of all parts."""
    of_part: dict[str, Path] = {}
    for part in parts:
        for line in read_lines(journal_of(part)):
            exam_id = line.get('exam', {}).get('exam_id')
            if exam_id in of_part:
                raise _error(part, field='exam', found=exam_id, expected=f'in one part; {of_part[exam_id]} has it, too')
            if exam_id is not None:
                of_part[exam_id] = part
    return dict.fromkeys(of_part, ())


def _require_apart(parts: Sequence[Path], out: Path) -> None:
    """Refuse to write to a folder that is read, or to read one twice."""
    seen: set[Path] = set()
    for part in parts:
        if part.resolve() in seen or part.resolve() == out.resolve():
            raise _error(part, field='parts', found='a folder named twice', expected='each once, and another --out')
        seen.add(part.resolve())


def _error(part: Path, *, field: str, found: str, expected: str) -> MammoError:
    remedy = 'name the --out folders of the parts of one run of tools/infer.py --shard'
    return MammoError(part, field=field, found=found, expected=expected, remedy=remedy)
