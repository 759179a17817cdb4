"""Files that appear whole or not at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from mmmammo.io import whole_files
from mmmammo.io.whole_files import UNFINISHED, remove_unfinished, written_whole

SIZE = 300_000  # more than a buffer holds

ALONE = f"""
import os, runpy, sys
from pathlib import Path
written_whole = runpy.run_path({whole_files.__file__!r})['written_whole']  # without the rest, which takes seconds
path = Path(sys.argv[1])
"""
WRITER = f"""{ALONE}
letter = sys.argv[2]
for _ in range(20):
    with written_whole(path) as file:
        file.write(letter * {SIZE})
    assert path.read_text() in ('a' * {SIZE}, 'b' * {SIZE}), 'mixed or cut short'
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(('mode', 'content'), [('w', 'µm\n'), ('wb', b'\x00\r\n')])
def test_the_file_is_there_when_the_block_ends(tmp_path, mode, content):
    path = tmp_path / 'a.txt'
    with written_whole(path, mode) as file:
        file.write(content)
        assert not path.exists()
    assert path.read_bytes() == (content if mode == 'wb' else content.encode('utf-8'))
    assert names(tmp_path) == ['a.txt']


def test_until_then_the_old_one_stays(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with written_whole(str(path)) as file:
        file.write('new')
        file.flush()
        assert path.read_text() == 'old'
    assert path.read_text() == 'new'


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt, SystemExit])
def test_of_a_block_that_fails_nothing_is_left(tmp_path, error):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(error), written_whole(path) as file:
        file.write('half')
        raise error
    assert path.read_text() == 'old' and names(tmp_path) == ['a.txt']


def test_line_ends_are_left_to_the_csv_module(tmp_path):
    with written_whole(tmp_path / 'a.csv', newline='') as file:
        file.write('a\r\nb\n')
    assert (tmp_path / 'a.csv').read_bytes() == b'a\r\nb\n'


def test_a_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / 'plain').write_text('')
    with written_whole(tmp_path / 'whole'):
        pass
    plain, whole = (stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ('plain', 'whole'))
    assert whole == plain


def test_a_file_may_have_the_times_of_another(tmp_path):
    other = tmp_path / 'other'
    other.write_text('')
    os.utime(other, ns=(1_000_000_000, 2_000_000_000))
    with written_whole(tmp_path / 'a', like=other) as file:
        file.write('late')
    assert (tmp_path / 'a').stat().st_mtime_ns == 2_000_000_000


def test_it_may_be_made_elsewhere(tmp_path):
    scratch = tmp_path / 'scratch'
    scratch.mkdir()
    with written_whole(tmp_path / 'a.txt', scratch=scratch) as file:
        file.write('whole')
        (made,) = scratch.iterdir()
        assert made.name.startswith('.a.txt.') and made.name.endswith(UNFINISHED)
        assert names(tmp_path) == ['scratch']
    assert names(tmp_path) == ['a.txt', 'scratch'] and names(scratch) == []


def test_a_name_of_full_length_can_be_written(tmp_path):
    path = tmp_path / ('ä' * 127)  # 254 bytes of the 255 that a name may have
    with written_whole(path) as file:
        file.write('whole')
    assert path.read_text() == 'whole'


def test_threads_that_write_one_file_at_once_all_succeed(tmp_path):
    path, together, written = tmp_path / 'a.txt', Barrier(2), []

    def write(letter):
        with written_whole(path) as file:
            file.write(letter * SIZE)
            together.wait(10)  # both are open, and neither is in place
        written.append(letter)

    threads = [Thread(target=write, args=(letter,)) for letter in 'ab']
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == ['a', 'b']
    assert path.read_text() in ('a' * SIZE, 'b' * SIZE) and names(tmp_path) == ['a.txt']


def test_processes_that_write_one_file_at_once_all_succeed(tmp_path):
    path = tmp_path / 'a.txt'
    command = [sys.executable, '-c', WRITER, str(path)]
    writers = [subprocess.Popen([*command, letter], stderr=subprocess.PIPE, text=True) for letter in 'ab']
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said
    assert names(tmp_path) == ['a.txt']


def test_a_missing_folder_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / 'none' / 'a.txt'):
        pytest.fail('opened')
    assert names(tmp_path) == []


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(NotADirectoryError), written_whole(tmp_path / 'file' / 'a.txt'):
        pytest.fail('opened')


def test_a_folder_in_place_of_the_file_is_told_and_nothing_left(tmp_path):
    (tmp_path / 'a.txt').mkdir()
    with pytest.raises(IsADirectoryError, match=r'a\.txt'), written_whole(tmp_path / 'a.txt') as file:
        file.write('new')
    assert names(tmp_path) == ['a.txt']


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no /dev/full')
@pytest.mark.parametrize('size', [1, SIZE])
def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path, monkeypatch, size):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    opened = Path.open
    monkeypatch.setattr(Path, 'open', lambda self, *args, **kwargs: opened(Path('/dev/full'), *args, **kwargs))
    with pytest.raises(OSError) as told, written_whole(path) as file:
        file.write('n' * size)
    monkeypatch.undo()
    assert told.value.errno == errno.ENOSPC
    assert path.read_text() == 'old' and names(tmp_path) == ['a.txt']


def test_what_a_killed_process_left_can_be_told_and_removed(tmp_path):
    code = f"{ALONE}with written_whole(path) as file:\n    file.write('half')\n    os._exit(9)"
    (tmp_path / '.hidden').write_text('mine')
    done = subprocess.run([sys.executable, '-c', code, str(tmp_path / 'a.txt')], check=False)
    assert done.returncode == 9 and not (tmp_path / 'a.txt').exists()
    (left,) = tmp_path.glob(f'.a.txt.*{UNFINISHED}')
    remove_unfinished(tmp_path)
    assert not left.exists() and names(tmp_path) == ['.hidden']


def test_where_there_is_no_folder_nothing_is_removed(tmp_path):
    remove_unfinished(tmp_path / 'none')
    assert names(tmp_path) == []
