"""The command: from nothing to a set, its messages, and its exit codes."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmmammo.io.exam_index import read_index
from mmmammo.structures import MammoError
from mmmammo.testing.raw_files import draw_breast, write_png

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'tools' / 'prepare_dataset.py'


@pytest.fixture(scope='module')
def command():
    spec = importlib.util.spec_from_file_location('prepare_dataset', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_a_phantom_from_nothing_and_again_from_what_is_there(command, tmp_path, capsys):
    out = tmp_path / 'set'
    small = ['--num-exams', '3', '--phantom-height', '256', '--finding-mix', 'mass=1', '--workers', '1']
    assert command.main(['phantom', '--out', str(out), *small]) == 0
    printed = capsys.readouterr().out
    assert '12 accepted, 0 mended, 0 quarantined' in printed and 'quality.csv' in printed
    facts = json.loads((out / 'prepare.json').read_text())
    assert facts['source'] == 'phantom' and facts['counts']['views']['R MLO'] == 3
    made = {path: path.stat().st_mtime_ns for path in (out / 'raw').rglob('*.dcm')}
    assert command.main(['phantom', '--out', str(out), '--single-class', 'lesion', '--workers', '1']) == 0
    assert read_index(out / 'annotations/train.json').categories == ('lesion',)
    assert {path: path.stat().st_mtime_ns for path in (out / 'raw').rglob('*.dcm')} == made


def test_the_summary_tells_how_many_files_were_skipped(command, tmp_path, capsys):
    write_png(tmp_path / 'raw/e/L_CC.png', draw_breast())
    (tmp_path / 'raw/e/notes.txt').touch()
    arguments = ['folder', '--raw', tmp_path / 'raw', '--out', tmp_path / 'out', '--workers', 1]
    assert command.main(list(map(str, arguments))) == 0
    assert '0 quarantined; 1 skipped, by their names no images' in capsys.readouterr().out


@pytest.mark.parametrize(('shares', 'empty'), [('0.7 0.1 0.2', ['val', 'test']), ('1 0 0', [])])
def test_an_empty_split_is_warned_of_unless_it_was_asked_for(command, tmp_path, capsys, shares, empty):
    write_png(tmp_path / 'raw/e/L_CC.png', draw_breast())
    arguments = ['folder', '--raw', tmp_path / 'raw', '--out', tmp_path / 'out', '--workers', 1]
    assert command.main([*map(str, arguments), '--split-fractions', *shares.split()]) == 0
    warned = [line for line in capsys.readouterr().out.splitlines() if 'Warning' in line]
    assert [line.split()[4] for line in warned] == [f'{split}.' for split in empty]
    assert all('Remedy: more patients' in line for line in warned)


def test_an_empty_folder_ends_in_one_message_and_code_2(tmp_path):
    (tmp_path / 'empty').mkdir()
    done = run('folder', '--raw', tmp_path / 'empty', '--out', tmp_path / 'out')
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert 'no image' in done.stderr and 'Remedy' in done.stderr


def test_no_usable_image_ends_in_one_message_and_code_2(tmp_path):
    write_png(tmp_path / 'raw/e/L_CC.png', np.zeros((64, 64), np.uint16))
    done = run('folder', '--raw', tmp_path / 'raw', '--out', tmp_path / 'out', '--workers', '1')
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    assert 'none of 1' in done.stderr and 'one value everywhere' in done.stderr


def test_no_example_writes_another_set_into_the_folder_the_configs_train_on():
    pages = [*ROOT.glob('*.md'), *ROOT.glob('d*/*.md'), *ROOT.glob('tools/**/*.py'), *ROOT.glob('mmmammo/**/*.py')]
    text = '\n'.join(page.read_text() for page in pages)
    assert not re.search(r'data/cbis\b', text)
    commands = re.findall(r'prepare_dataset\.py phantom (?:.*\\\n)*.*', text)
    into = [command for command in commands if re.search(r'--out data/phantom(\s|$)', command)]
    assert into and all('--single-class mass' in command for command in into)
    assert any('--out data/phantom_all' in command for command in commands)


def test_help_shows_an_example_of_each_source():
    text = run('--help').stdout
    assert 'prepare_dataset.py phantom --out' in text and 'prepare_dataset.py folder --raw' in text


@pytest.mark.parametrize('arguments', [['folder', '--out', 'x'], ['ddms', '--out', 'x'], ['phantom']])
def test_wrong_arguments_are_argparse_s_to_tell(command, arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        command.parse_args(arguments)
    assert caught.value.code == 2 and 'usage' in capsys.readouterr().err


@pytest.mark.parametrize(('option', 'field'), [('--num-exams', 'num_exams'), ('--phantom-height', 'height')])
def test_nothing_to_make_is_not_the_default(command, tmp_path, option, field):
    with pytest.raises(MammoError, match=f'{field}: found 0'):
        command.main(['phantom', '--out', str(tmp_path / 'set'), option, '0', '--workers', '1'])


def test_the_name_of_the_set_is_printed_as_it_is(command, tmp_path, capsys):
    write_png(tmp_path / 'raw/e/L_CC.png', draw_breast())
    out = tmp_path / 'set [red]'
    assert command.main(['folder', '--raw', str(tmp_path / 'raw'), '--out', str(out), '--workers', '1']) == 0
    assert f'Reasons: {out / "quality.csv"}' in capsys.readouterr().out


def test_a_wrong_weight_is_told(command, capsys):
    with pytest.raises(SystemExit):
        command.parse_args(['phantom', '--out', 'x', '--finding-mix', 'mass'])
    assert "'mass'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.parse_args(['phantom', '--out', 'x', '--finding-mix', 'mass=x'])
    assert "--finding-mix: found 'mass=x'; expected CATEGORY=NUMBER" in capsys.readouterr().err


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('--split-fractions 0 0 0', r'fractions: found \(0.0, 0.0, 0.0\)'),
        ('--workers 0', 'workers: found 0'),
        ('--height 0', 'height: found 0'),
        ('--seed -1', 'seed: found -1'),
        ('--only lump', 'only: found lump'),
        ('--phantom-height 0', 'height: found 0'),
        ('--num-exams 0', 'num_exams: found 0'),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(command, tmp_path, monkeypatch, option, message):
    monkeypatch.setattr(command, '_progress', lambda _: pytest.fail('work has begun'))
    with pytest.raises(MammoError, match=message):
        command.main(['phantom', '--out', str(tmp_path / 'set'), *option.split()])
    assert not (tmp_path / 'set').exists()


@pytest.mark.parametrize('out', ['raw', 'raw/prepared'])
def test_the_set_may_not_lie_among_its_sources(command, tmp_path, out):
    write_png(tmp_path / 'raw/e/L_CC.png', draw_breast())
    with pytest.raises(MammoError, match='--out: found a folder inside of --raw'):
        command.main(['folder', '--raw', str(tmp_path / 'raw'), '--out', str(tmp_path / out)])


def test_the_command_is_kept_without_the_folders_of_this_machine(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = command._command(['/x/tools/prepare_dataset.py', 'folder', '--raw', str(tmp_path / 'a b'), '--out', 'data'])
    assert kept.endswith("folder --raw 'a b' --out data") and str(tmp_path) not in kept
