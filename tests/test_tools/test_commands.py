"""The commands themselves, in this process."""

import errno
import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from mmmammo import cli
from mmmammo.apis import ExamResult
from mmmammo.apis.exam_lines import tell_exam
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]
TOOLS = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / 'tools').rglob('*.py') if 'bootstrap' not in path.parts
)
SCRIPTS = ('dist_train.sh', 'dist_test.sh', 'slurm_train.sh')


def load(tool):
    spec = importlib.util.spec_from_file_location(f'tool_{Path(tool).stem}', ROOT / tool)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(monkeypatch, tool, *args):
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
    monkeypatch.syspath_prepend(str(ROOT / Path(tool).parent))  # as when it is run as a script
    return load(tool).main()


@pytest.mark.parametrize('tool', TOOLS)
def test_help_shows_an_example(tool, monkeypatch, capsys):
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, tool, '--help')
    assert end.value.code == 0
    assert 'xample' in capsys.readouterr().out


@pytest.mark.parametrize('script', SCRIPTS)
def test_shell_help_shows_an_example(script):
    done = subprocess.run(['bash', ROOT / 'tools' / script, '--help'], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert f'Example: bash tools/{script}' in done.stdout.replace('GPUS=8 GPUS_PER_NODE=4 ', '')


def test_bad_input_ends_in_one_message(capsys):
    def main():
        raise MammoError('a.dcm', field='Modality', found='CT', expected='MG', remedy='leave it out')

    with pytest.raises(SystemExit) as end:
        cli.run(main)
    assert end.value.code == 2
    assert capsys.readouterr().err == 'error: a.dcm: Modality: found CT; expected MG. Remedy: leave it out\n'


@pytest.mark.parametrize('code', [errno.ENOTDIR, errno.EEXIST, errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_disk_that_refuses_ends_in_one_message(capsys, code):
    def main():
        raise OSError(code, os.strerror(code), 'results/out.csv')

    with pytest.raises(SystemExit) as end:
        cli.run(main)
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(f'error: results/out.csv: file or folder: found {os.strerror(code)}; expected')
    assert 'Remedy' in err and err.count('\n') == 1


def test_names_with_control_characters_do_not_steer_the_terminal(capsys):
    def main():
        raise MammoError('a\x1b[2Jb\x07.dcm', field='Größe', found='1\n2', expected='3', remedy='4')

    with pytest.raises(SystemExit):
        cli.run(main)
    said = capsys.readouterr().err
    assert said == 'error: a\\x1b[2Jb\\x07.dcm: Größe: found 1\n2; expected 3. Remedy: 4\n'


def test_a_defect_of_ours_keeps_its_traceback():
    with pytest.raises(OSError, match='odd'):
        cli.run(lambda: (_ for _ in ()).throw(OSError('odd')))


def test_infer_with_a_wrong_path_leaves_old_results(monkeypatch, tmp_path):
    (tmp_path / 'detections.csv').write_text('old')
    with pytest.raises(MammoError, match='no such folder'):
        run(monkeypatch, 'tools/infer.py', 'c.py', 'c.pth', tmp_path / 'none', '--out', tmp_path)
    assert (tmp_path / 'detections.csv').read_text() == 'old'


def test_infer_refuses_a_threshold_that_is_no_score(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, 'tools/infer.py', 'c.py', 'c.pth', 'exams', '--out', 'x', '--score-thr', '7')
    assert 'found 7; expected a number from 0 to 1' in capsys.readouterr().err


def test_infer_prints_names_with_brackets_as_they_are():
    console = Console(file=io.StringIO(), width=200)
    tell_exam(ExamResult('exam [old][/x]', ()), None, console)
    assert 'exam [old][/x]: 0 views' in console.file.getvalue()


@pytest.mark.parametrize('tool', ['tools/train.py', 'tools/analysis/print_config.py'])
@pytest.mark.parametrize('option', ['nonsense', "custom_hooks=[dict(type='X', size=1)]", "model=dict(type='X')"])
def test_options_that_cannot_be_read_are_told(tool, option, monkeypatch, capsys):
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, tool, ROOT / 'configs/agrcnn_phantom.py', '--cfg-options', option)
    assert end.value.code == 2
    assert f'found {option}; expected KEY=VALUE' in capsys.readouterr().err


def test_train_then_test_with_a_report(monkeypatch, tmp_path):
    data = make_prepared_set(tmp_path / 'set', size=(96, 72))
    for split in ('train', 'val', 'test'):
        path = data / 'annotations' / f'{split}.json'
        path.write_text(path.read_text().replace('"calcification"', '"mass2"'))
    options = [
        'model.roi_head.bbox_head.num_classes=2',
        'model.roi_head.mask_head.num_classes=2',
        'model.neck.1.prior=None',
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
    ]
    for split in ('train', 'val', 'test'):
        options += [f'{split}_dataloader.dataset.data_root={data}', f'{split}_dataloader.num_workers=0']
        options += [f'{split}_dataloader.persistent_workers=False']
    common = ['--work-dir', tmp_path / 'run', '--cfg-options', *options]
    assert run(monkeypatch, 'tools/train.py', ROOT / 'configs/agrcnn_phantom.py', *common) == 0
    checkpoint = tmp_path / 'run' / 'epoch_1.pth'
    report = ['--report', tmp_path / 'report']
    assert run(monkeypatch, 'tools/test.py', ROOT / 'configs/agrcnn_phantom.py', checkpoint, *report, *common) == 0
    written = json.loads((tmp_path / 'report' / 'metrics.json').read_text())
    assert written['metrics']['froc/n_images'] == 8
    assert written['run']['checkpoint'] == 'epoch_1.pth'
    assert (tmp_path / 'report' / 'report.html').stat().st_size > 10_000
    beside_the_log = json.loads((tmp_path / 'run' / 'metrics.json').read_text())
    assert beside_the_log['metrics']['froc/recall@1.00'] == written['metrics']['froc/recall@1.00']
    again = ['--report', tmp_path / 'run']
    assert run(monkeypatch, 'tools/test.py', ROOT / 'configs/agrcnn_phantom.py', checkpoint, *again, *common) == 0
    in_one_folder = json.loads((tmp_path / 'run' / 'metrics.json').read_text())
    assert in_one_folder.keys() == beside_the_log.keys() and (tmp_path / 'run' / 'report.html').is_file()
    kept = [tmp_path / folder / 'predictions.json' for folder in ('run', 'report')]
    assert kept[0].read_text() == kept[1].read_text()
