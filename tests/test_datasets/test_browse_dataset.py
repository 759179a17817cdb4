"""The command that shows a dataset step by step."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('browse_dataset', ROOT / 'tools' / 'analysis' / 'browse_dataset.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture()
def config(tmp_path, prepared_root):
    path = tmp_path / 'config.py'
    base = ROOT / 'configs' / '_base_' / 'datasets' / 'phantom_exams.py'
    loaders = '\n'.join(
        f"{split}_dataloader = dict(dataset=dict(data_root='{prepared_root}'))" for split in ('train', 'test')
    )
    path.write_text(f"_base_ = ['{base}']\n{loaders}\n")
    return str(path)


def run(tool, config, out, *options):
    tool.main([config, '--out', str(out), '--height', '100', '--num', '1', *options])
    (path,) = sorted(out.glob('*.png'))
    return cv2.imread(str(path))


def test_strip_has_a_panel_per_transform_and_a_row_per_view(tool, config, tmp_path):
    image = run(tool, config, tmp_path / 'out', '--split', 'test')
    row = 100 + 2 * tool.BAR
    assert image.shape[0] == 4 * row
    assert image.shape[1] == pytest.approx(4 * 100 * 104 / 128, abs=4)  # load, resize, annotations, pack


def test_final_mode_shows_the_network_input_alone(tool, config, tmp_path):
    strip = run(tool, config, tmp_path / 'a', '--split', 'test')
    final = run(tool, config, tmp_path / 'b', '--split', 'test', '--mode', 'final')
    assert final.shape[1] * 4 == pytest.approx(strip.shape[1], abs=4)


@pytest.mark.parametrize('colour', ['GREEN', 'CYAN', 'MAGENTA', 'YELLOW', 'RED'])
def test_everything_is_drawn(tool, config, tmp_path, colour):
    image = run(tool, config, tmp_path / 'out', '--split', 'test', '--mode', 'final')
    near = np.abs(image.astype(int) - getattr(tool, colour)).max(axis=-1) < 40
    assert near.sum() > 10


def test_test_boxes_are_drawn_over_the_resized_lesion(tool, config, tmp_path):
    image = run(tool, config, tmp_path / 'out', '--split', 'test', '--mode', 'final')[2 * tool.BAR : 2 * tool.BAR + 100]
    red = np.argwhere(np.abs(image.astype(int) - tool.RED).max(axis=-1) < 10)
    (y1, x1), (y2, x2) = red.min(axis=0), red.max(axis=0)
    assert image[(y1 + y2) // 2, (x1 + x2) // 2].min() > 180


def test_options_reach_the_config(tool, config, tmp_path):
    with pytest.raises(MammoError, match='elsewhere'):
        run(tool, config, tmp_path / 'out', '--cfg-options', 'train_dataloader.dataset.data_root=elsewhere')


def test_start_beyond_the_end_says_how_many_there_are(tool, config, tmp_path):
    with pytest.raises(MammoError, match='some of 0 to 3'):
        run(tool, config, tmp_path / 'out', '--start', '9')


def test_help_has_an_example(tool, capsys):
    with pytest.raises(SystemExit):
        tool.parse_args(['--help'])
    assert 'python tools/analysis/browse_dataset.py configs/' in capsys.readouterr().out
