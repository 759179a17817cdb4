"""The command: from nothing to a set, its messages, and its exit codes."""

import importlib
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config
from rich.console import Console

from mmmammo.io.exam_index import read_index
from mmmammo.prepare import arguments
from mmmammo.prepare.summary import Summary
from mmmammo.prepare.summary_tables import summary_tables
from mmmammo.sources import SOURCES, CountCheck, SourceOption, get_source
from mmmammo.structures import MammoError, Policy, Problem
from mmmammo.testing.raw_files import draw_breast, write_dicom, write_png

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
    small += ['--phantom-split', '1', '0', '0', '--phantom-prevalence', '0', '--phantom-contrast', '1', '2']
    small += ['--phantom-malignant', '1', '--phantom-decoys', '0', '0.5']
    assert command.main(['phantom', '--out', str(out), *small]) == 0
    printed = capsys.readouterr().out
    assert '12 accepted, 0 mended, 0 quarantined' in printed and 'quality.csv' in printed
    facts = json.loads((out / 'prepare.json').read_text())
    assert facts['source'] == 'phantom' and facts['counts']['views']['R MLO'] == 3
    assert facts['counts']['images'] == {'train': 12, 'val': 0, 'test': 0}
    config = json.loads((out / 'raw/phantom.json').read_text())['config']
    assert config['prevalence'] == 0 and config['contrast'] == [1, 2] and config['malignant_fraction'] == 1
    assert config['overlap_decoys'] == 0 and config['symmetric_decoys'] == 0.5
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


def words(command):
    return shlex.split(re.sub(r'\\+\n', ' ', command), comments=True)[1:]


def test_no_example_writes_another_set_into_the_folder_the_configs_train_on():
    pages = [*ROOT.glob('*.md'), *ROOT.glob('d*/*.md'), *ROOT.glob('tools/**/*.py'), *ROOT.glob('mmmammo/**/*.py')]
    text = '\n'.join(page.read_text() for page in pages)
    assert not re.search(r'data/cbis\b', text)
    commands = re.findall(r'prepare_dataset\.py phantom (?:.*\\\n)*.*', text)
    for folder, base in (('phantom', 'phantom_exams'), ('phantom_decoys', 'phantom_decoy_exams')):
        made = Config.fromfile(ROOT / f'configs/_base_/datasets/{base}.py').inputs[0].command
        into = [command for command in commands if re.search(rf'--out data/{folder}(\s|$)', command)]
        assert all(words(command) == words(made) for command in into), folder
    assert into, 'the page to start from shows how its set is made'
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
        ('--scale 2', 'scale: found 2.0'),
        ('--spacing 0', 'spacing: found 0.0'),
        ('--clahe 0', 'clahe: found 0.0'),
        ('--policy tomosynthesis=accept', r'expected tomosynthesis=quarantine \(nothing else'),
        ('--policy implant=accept dirt=mend', 'found dirt; expected a problem: one of'),
        ('--shape round', '--shape: found an option of other sources; expected options of this one: none'),
        ('--seed -1', 'seed: found -1'),
        ('--only lump', 'only: found lump'),
        ('--phantom-height 0', 'height: found 0'),
        ('--num-exams 0', 'num_exams: found 0'),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(command, tmp_path, monkeypatch, other_source, option, message):
    monkeypatch.setattr(command.cli, 'progress_bar', lambda _: pytest.fail('work has begun'))
    with pytest.raises(MammoError, match=message):
        command.main(['phantom', '--out', str(tmp_path / 'set'), *option.split()])
    assert not (tmp_path / 'set').exists()


@pytest.fixture()
def other_source(monkeypatch):
    """Two sources more, which share an option, made of the folder source."""
    made = {}
    for name, choices in (('one', ('round', 'square')), ('two', ('square', 'flat'))):
        option = SourceOption('shape', choices, choices[0], f'of {name}')
        made[name] = SimpleNamespace(**vars(get_source('folder')) | {'OPTIONS': (option,), 'list_records': pytest.fail})
    for module in (arguments, importlib.import_module('mmmammo.sources')):
        monkeypatch.setattr(module, 'SOURCES', (*SOURCES, *made))
        monkeypatch.setattr(module, 'get_source', lambda name: made.get(name) or get_source(name))
    return made


def test_sources_that_share_an_option_share_its_flag(command, other_source, capsys):
    args = command.parse_args(['two', '--raw', 'x', '--out', 'y', '--shape', 'flat'])
    assert arguments.source_options(args, other_source['two']) == {'shape': 'flat'}
    assert arguments.source_options(command.parse_args(['two', '--raw', 'x', '--out', 'y']), other_source['two']) == {
        'shape': 'square'
    }
    args = command.parse_args(['one', '--raw', 'x', '--out', 'y', '--shape', 'flat'])
    with pytest.raises(MammoError, match='one: --shape: found flat; expected one of round, square'):
        arguments.source_options(args, other_source['one'])
    with pytest.raises(SystemExit):
        command.parse_args(['one', '--raw', 'x', '--out', 'y', '--shape', 'oval'])
    capsys.readouterr()
    with pytest.raises(SystemExit):
        command.parse_args(['--help'])
    assert 'one: of one (round); two: of two (square)' in ' '.join(capsys.readouterr().out.split())


def test_the_user_s_policies_win_over_the_source_s(command):
    source = SimpleNamespace(POLICIES={Problem.IMPLANT: Policy.QUARANTINE, Problem.STEREO: Policy.ACCEPT})
    given = ['folder', '--raw', 'x', '--out', 'y', '--policy', 'implant=accept', '--policy', 'burned_in=mend']
    policies = arguments.prepare_options(command.parse_args(given), source).policies
    chosen = {problem: policies[problem] for problem in (Problem.IMPLANT, Problem.STEREO, Problem.BURNED_IN)}
    assert list(chosen.values()) == ['accept', 'accept', 'mend']


def test_two_sizes_exclude_each_other(command, capsys):
    with pytest.raises(SystemExit):
        command.parse_args(['folder', '--raw', 'x', '--out', 'y', '--height', '512', '--scale', '0.5'])
    assert 'argument --scale: not allowed with argument --height' in capsys.readouterr().err


def test_every_option_of_an_image_reaches_it(command):
    given = ['--long-side', '512', '--no-crop', '--bits', '8', '--remove-pectoral', '--clahe', '--landmarks', 'truth']
    args = command.parse_args(['folder', '--raw', 'x', '--out', 'y', *given])
    options = arguments.prepare_options(args, get_source('folder'))
    expected = {'long_side': 512, 'crop': False, 'bits': 8, 'remove_pectoral': True, 'clahe': 2.0, 'landmarks': 'truth'}
    assert {name: getattr(options, name) for name in expected} == expected


def test_the_coarse_resolution_is_for_images_that_are_shrunk(command):
    given = ['folder', '--raw', 'x', '--out', 'y', '--coarse-jpeg2000']
    folder = get_source('folder')
    assert arguments.prepare_options(command.parse_args([*given, '--height', '512']), folder).rows_needed == 512
    assert not arguments.prepare_options(command.parse_args([*given[:-1], '--height', '512']), folder).coarse_jpeg2000
    with pytest.raises(MammoError, match=r'coarse_jpeg2000: found True with full size; expected height, or a scale'):
        arguments.prepare_options(command.parse_args(given), folder)


def test_the_summary_tells_problems_labels_and_counts(command, tmp_path, capsys):
    write_dicom(tmp_path / 'raw/e/L_CC.dcm', draw_breast(), BreastImplantPresent='YES')
    write_dicom(tmp_path / 'raw/e/R_CC.dcm', draw_breast('L'), ImageLaterality='R')
    write_dicom(tmp_path / 'raw/e/spot.dcm', draw_breast(), PaddleDescription='SPOT')
    (tmp_path / 'raw/e/torn.dcm').write_bytes(b'torn')
    arguments = ['folder', '--raw', tmp_path / 'raw', '--out', tmp_path / 'out', '--workers', 1, '--scale', 0.5]
    assert command.main(list(map(str, arguments))) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in ('Accepted with: implant 1', 'Mended: laterality 1', 'Quarantined for: unreadable 1, magnification 1'):
        assert line in lines
    assert 'Labels: implant True 1' in lines
    facts = json.loads((tmp_path / 'out/prepare.json').read_text())
    assert facts['options']['scale'] == 0.5 and facts['options']['policies']['laterality'] == 'mend'
    assert facts['counts']['problems'] == {
        'unreadable=quarantine': 1, 'magnification=quarantine': 1, 'implant=accept': 1, 'laterality=mend': 1,
    }  # fmt: skip


@pytest.mark.parametrize('out', ['raw', 'raw/prepared'])
def test_the_set_may_not_lie_among_its_sources(command, tmp_path, out):
    write_png(tmp_path / 'raw/e/L_CC.png', draw_breast())
    with pytest.raises(MammoError, match='--out: found a folder inside of --raw'):
        command.main(['folder', '--raw', str(tmp_path / 'raw'), '--out', str(tmp_path / out)])


def test_the_command_is_kept_without_the_folders_of_this_machine(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = command._command(['/x/tools/prepare_dataset.py', 'folder', '--raw', str(tmp_path / 'a b'), '--out', 'data'])
    assert kept.endswith("folder --raw 'a b' --out data") and str(tmp_path) not in kept


@pytest.mark.parametrize('word', ['/home/doe/mammo', '--raw=/home/doe/mammo', '/home/doe/mammo/'])
def test_the_command_is_kept_without_the_names_of_folders_elsewhere(command, tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    assert command._command(['tools/x.py', word]).endswith('.../mammo') and 'doe' not in command._command([word])


@pytest.mark.parametrize('words', [['--dask', 'tcp://10.0.0.1:8786'], ['--dask=tcp://10.0.0.1:8786']])
def test_the_command_is_kept_without_the_addresses_of_the_network(command, words):
    assert command._command(['tools/x.py', *words]).endswith('tcp://...')


def test_counts_stand_beside_the_published_ones():
    checks = (
        CountCheck('rows', 1318, 1318),
        CountCheck('images', 2, 1231, 'not everything was downloaded'),
        CountCheck('patients', 1, 691, 'not everything was downloaded'),
        CountCheck('reports', 3, None),
        CountCheck('masks', 3, 4),
    )
    nothing = dict.fromkeys(('train', 'val', 'test'), 0)
    summary = Summary({}, 0, 0, nothing, nothing, nothing, {}, {}, {}, {}, {}, checks)
    console = Console(width=100, file=io.StringIO())
    for part in summary_tables(summary, Path('out'), (0, 0, 0)):
        console.print(part)
    rows = [line[1:-1].split('│') for line in console.file.getvalue().splitlines() if line.startswith('│')][3:]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ['rows', '1,318', '1,318', 'ok'],
        ['images', '2', '1,231', 'not everything was downloaded'],
        ['patients', '1', '691', '"'],
        ['reports', '3', '-', ''],
        ['masks', '3', '4', 'differs: a partial download, or another release'],
    ]
