"""The command that writes a dressed download."""

import pytest

from mmmammo.phantom.dressing import DRESSES, dress
from mmmammo.phantom.dressing.__main__ import main
from mmmammo.structures import MammoError


def test_writes_and_lists_what_is_planted(tmp_path, capsys):
    assert main(['cohort', '--out', str(tmp_path / 'raw'), '--exams', '7']) == 0
    said = capsys.readouterr().out
    assert 'faults planted' in said and 'quarantined' in said
    assert any((tmp_path / 'raw').rglob('*.csv'))


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / 'mine.txt').write_text('mine')
    with pytest.raises(MammoError, match='a new folder'):
        main([DRESSES[0], '--out', str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


def test_unknown_source_is_named(tmp_path):
    with pytest.raises(MammoError, match=r'found nonsense; expected one of .*cohort'):
        dress('nonsense', tmp_path)
