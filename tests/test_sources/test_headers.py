"""Headers of many files, and who is told of them."""

import numpy as np
import pytest
from rich.console import Console

from mmmammo import cli
from mmmammo.io import write_png16
from mmmammo.sources import folder, headers
from mmmammo.sources.listing import written_name
from mmmammo.structures import Laterality


@pytest.fixture
def exam(tmp_path):
    """Three images and a file that is none."""
    for name in ('L_CC', 'L_MLO', 'R_CC'):
        write_png16(tmp_path / f'{name}.png', np.zeros((4, 4)))
    (tmp_path / 'R_MLO.png').write_bytes(b'none')
    return tmp_path


def test_headers_come_in_turn_and_are_told(exam):
    paths = sorted(exam.iterdir())
    told = []
    with headers.headers_told(lambda *said: told.append(said)):
        found = list(headers.read_headers(paths))
    assert [meta is None for meta in found] == [False, False, False, True]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(list(headers.read_headers(paths))) == 4 and len(told) == 4  # nobody listens any more


def test_a_listing_of_many_files_has_a_line_of_its_own(exam, monkeypatch):
    for many, lines in ((5, []), (4, ['reading headers'])):
        monkeypatch.setattr(headers, '_MANY', many)
        with cli.progress_bar(Console(quiet=True)) as progress, headers.headers_on(progress):
            records = list(folder.list_records(exam))
        assert [record.laterality for record in records] == [Laterality.LEFT] * 2 + [Laterality.RIGHT] * 2
        assert [task.description for task in progress.tasks] == lines
        assert all(task.finished for task in progress.tasks)


def test_names_that_would_steer_a_terminal_are_written_as_escapes(tmp_path):
    path = tmp_path / 'a\x1b[2J\nb\u202egnp.png'
    assert written_name(path, tmp_path) == r'a\x1b[2J\nb\u202egnp.png'
    assert written_name(tmp_path / 'Müller µ.png', tmp_path) == 'Müller µ.png'
