import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmmammo.phantom import PhantomConfig, write_dataset
from mmmammo.phantom.__main__ import main
from mmmammo.phantom.truth import draw_split
from mmmammo.sources.phantom import CATEGORIES, list_records
from mmmammo.structures import MammoError

CONFIG = PhantomConfig(height=256, prevalence=1.0)


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp('phantom')
    write_dataset(folder, 3, CONFIG, seed=1)
    return folder


def snapshot(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob('*')) if p.is_file()}


def test_writes_the_documented_tree(raw):
    info = json.loads((raw / 'phantom.json').read_text())
    assert info['complete'] and 'Synthetic' in info['statement']
    assert PhantomConfig.from_json(info['config']) == CONFIG
    assert info['counts']['exams'] == 3 and info['counts']['images'] == 12
    assert sorted(p.name for p in (raw / 'phantom-00000').iterdir()) == [
        'L_CC.dcm',
        'L_MLO.dcm',
        'R_CC.dcm',
        'R_MLO.dcm',
        'truth.json',
    ]


def test_workers_do_not_change_a_byte(raw, tmp_path):
    write_dataset(tmp_path, 3, CONFIG, seed=1, workers=2)
    assert snapshot(tmp_path) == snapshot(raw)


def test_resumes_only_what_is_missing(tmp_path):
    write_dataset(tmp_path, 2, CONFIG, seed=1)
    before = snapshot(tmp_path)
    (tmp_path / 'phantom-00001' / 'truth.json').unlink()
    kept = (tmp_path / 'phantom-00000' / 'L_CC.dcm').stat().st_mtime_ns
    seen = []
    write_dataset(tmp_path, 2, CONFIG, seed=1, on_exam=seen.append)
    assert seen == ['phantom-00000', 'phantom-00001']
    assert (tmp_path / 'phantom-00000' / 'L_CC.dcm').stat().st_mtime_ns == kept
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize('name', ['phantom.json', 'phantom-00000/L_MLO.dcm', 'phantom-00000/truth.json'])
def test_what_a_kill_left_unfinished_is_gone_after_the_next_run(tmp_path, monkeypatch, name):
    replace = Path.replace
    monkeypatch.setattr(
        'pathlib.Path.replace',
        lambda self, target: pytest.fail('killed') if target == tmp_path / name else replace(self, target),
    )
    monkeypatch.setattr('pathlib.Path.unlink', lambda *_, **__: None)
    with pytest.raises(BaseException, match='killed'):
        write_dataset(tmp_path, 1, CONFIG)
    monkeypatch.undo()
    assert len(list(tmp_path.rglob('.*'))) == 1 and not (tmp_path / name).exists()
    write_dataset(tmp_path, 1, CONFIG)
    assert not list(tmp_path.rglob('.*')) and (tmp_path / name).is_file()


def test_refuses_to_mix_two_sets(raw):
    with pytest.raises(MammoError, match='another folder'):
        write_dataset(raw, 3, CONFIG, seed=2)


def test_refuses_to_write_among_other_files(tmp_path):
    (tmp_path / 'exam_1').mkdir()
    with pytest.raises(MammoError, match=r'folder: found 1 other entries, such as exam_1; .*Remedy'):
        write_dataset(tmp_path, 1, CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ['exam_1']


def test_a_lost_description_is_written_again(tmp_path):
    write_dataset(tmp_path, 1, CONFIG)
    described = (tmp_path / 'phantom.json').read_bytes()
    (tmp_path / 'phantom.json').unlink()
    write_dataset(tmp_path, 1, CONFIG)
    assert (tmp_path / 'phantom.json').read_bytes() == described


@pytest.mark.parametrize(('field', 'value'), [('num_exams', 0), ('workers', 0), ('seed', -1)])
def test_refuses_numbers_out_of_range(tmp_path, field, value):
    arguments = {'num_exams': 1, 'workers': 1, 'seed': 0, field: value}
    with pytest.raises(MammoError, match=f'{field}.*at least'):
        write_dataset(tmp_path, config=CONFIG, **arguments)


def test_refuses_to_write_into_a_file(tmp_path):
    (tmp_path / 'raw').write_text('')
    with pytest.raises(MammoError, match='a folder'):
        write_dataset(tmp_path / 'raw', 1, CONFIG)


def test_split_is_near_its_fractions_and_stable():
    drawn = [draw_split((0.7, 0.1, 0.2), 0, i) for i in range(200)]
    assert [drawn.count(name) for name in ('train', 'val', 'test')] == pytest.approx([140, 20, 40], abs=2)
    assert {draw_split((1.0, 0.0, 0.0), 0, i) for i in range(20)} == {'train'}
    assert len(set(drawn[:15])) == 3


def test_source_lists_every_image_with_its_truth(raw):
    records = list(list_records(raw))
    assert len(records) == 12
    assert len({r.relative_path for r in records}) == 12
    assert all(r.path.is_file() and r.landmarks is not None for r in records)
    assert {f.category for r in records for f in r.findings} <= set(CATEGORIES)
    assert any(r.findings for r in records)
    assert all({'cancer', 'density', 'age'} <= set(r.labels) for r in records)
    by_patient = {}
    for record in records:
        by_patient.setdefault(record.patient_id, set()).add(record.split)
    assert all(len(splits) == 1 for splits in by_patient.values())


def test_source_without_a_set_names_the_command(tmp_path):
    with pytest.raises(MammoError, match=r'python -m mmmammo\.phantom'):
        list(list_records(tmp_path))


def test_source_refuses_an_unfinished_set(tmp_path):
    write_dataset(tmp_path, 2, CONFIG, seed=1)
    (tmp_path / 'phantom-00001' / 'truth.json').unlink()
    with pytest.raises(MammoError, match='resumes'):
        list(list_records(tmp_path))


def test_source_names_a_broken_file(tmp_path):
    write_dataset(tmp_path, 1, CONFIG, seed=1)
    for content in ('{"views": [', '[' * 100_000, '1' * 5000):
        (tmp_path / 'phantom-00000' / 'truth.json').write_text(content)
        with pytest.raises(MammoError, match=r'truth\.json'):
            list(list_records(tmp_path))


def test_source_opens_nothing_outside_of_the_set(tmp_path, raw):
    copy = shutil.copytree(raw, tmp_path / 'raw')
    first, second = copy / 'phantom-00000', copy / 'phantom-00001'
    (first / 'L_CC.dcm').rename(tmp_path / 'away.dcm')
    (first / 'L_CC.dcm').symlink_to(tmp_path / 'away.dcm')
    (refused,) = [record for record in list_records(copy) if record.refused]
    assert refused.path == first / 'L_CC.dcm' and 'leads out of the folder' in refused.refused.reason
    second.rename(tmp_path / 'second')
    second.symlink_to(tmp_path / 'second')
    with pytest.raises(MammoError, match=r'truth\.json: folder: found a place out of the folder'):
        list(list_records(copy))


@pytest.mark.parametrize('name', ['../../away.dcm', '/away.dcm', '..', 'a\0.dcm'])
def test_source_refuses_names_of_other_folders(tmp_path, raw, name):
    copy = shutil.copytree(raw, tmp_path / 'raw')
    path = copy / 'phantom-00000' / 'truth.json'
    truth = json.loads(path.read_text())
    truth['views'][0]['file'] = name
    path.write_text(json.dumps(truth))
    with pytest.raises(MammoError, match=r'truth\.json: file: found .*; expected the name of a file beside it'):
        list(list_records(copy))


def test_command_writes_and_reports(tmp_path, capsys):
    arguments = ['--exams', '1', '--height', '256', '--workers', '1', '--spectrum-exams', '1']
    assert main(['--out', str(tmp_path / 'raw'), *arguments]) == 0
    said = capsys.readouterr().out
    assert 'gland spectrum CC' in said and 's an image' in said
    with pytest.raises(MammoError, match='another folder'):
        main(['--out', str(tmp_path / 'raw'), *arguments, '--seed', '5'])


def test_command_says_that_no_spectrum_was_measured(tmp_path, capsys):
    arguments = ['--exams', '1', '--height', '256', '--workers', '1', '--spectrum-exams', '0']
    assert main(['--out', str(tmp_path / 'raw'), *arguments]) == 0
    said = capsys.readouterr().out
    assert said.count('not measured') == 2 and 'nan' not in said


@pytest.mark.parametrize('option', ['--spectrum-exams', '--exams', '--workers', '--seed'])
def test_command_refuses_numbers_before_any_work(tmp_path, monkeypatch, option):
    monkeypatch.setattr('mmmammo.cli.progress_bar', lambda *_, **__: pytest.fail('work has begun'))
    with pytest.raises(MammoError, match='found -1; expected at least'):
        main(['--out', str(tmp_path / 'raw'), option, '-1'])


def test_command_ends_in_one_message_on_stderr(tmp_path):
    command = [sys.executable, '-m', 'mmmammo.phantom', '--out', tmp_path / 'raw', '--height', '1']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith('error: PhantomConfig: height: found 1;') and done.stderr.count('\n') == 1


def test_imports_neither_torch_nor_openmmlab():
    code = (
        'import sys, mmmammo.phantom.__main__, mmmammo.sources.phantom; '
        'print([m for m in ("torch", "mmcv", "mmengine") if m in sys.modules])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
