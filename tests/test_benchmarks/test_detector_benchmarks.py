"""Benchmarks of AG-RCNN: which rows there are and what they say; no time is judged."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from mmmammo.testing.detector_timing import build_pair, noise_exams, predictor, with_setting

FOLDER = Path(__file__).resolve().parents[2] / 'benchmarks'
TINY = ('--model', 'small', '--size', '64', '64', '--repeats', '1')


def load(name):
    spec = importlib.util.spec_from_file_location(f'benchmark_{name}', FOLDER / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where NamedTuple looks its annotations up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def inference():
    return load('exam_inference')


@pytest.fixture(scope='module')
def training():
    return load('training_step')


@pytest.fixture(scope='module')
def pair():
    torch.manual_seed(0)
    return build_pair('small', 'cpu')


def table_of(module, monkeypatch, capsys, *args):
    """The cells of a table, row by row, and all that was printed."""
    monkeypatch.setattr(module, 'keep_freed_memory', lambda: None)  # of this process
    monkeypatch.setattr(sys, 'argv', [module.__name__, *TINY, *args])
    module.main()
    out = capsys.readouterr().out
    return [[cell.strip() for cell in line.split('│')[1:-1]] for line in out.splitlines() if '│' in line], out


def test_rows_of_inference(inference, monkeypatch, capsys):
    """Seconds and bytes of a batch are given: as-is 2 (ours), 1, 5; after speed_up 1.6, 0.9, 4."""
    monkeypatch.setattr(inference, 'alternate', lambda *_: [[2.0], [1.0], [5.0], [1.6], [0.9], [4.0]])
    monkeypatch.setattr(inference, 'peak_memory', lambda *_: 8_000_000)
    rows, out = table_of(inference, monkeypatch, capsys, '--exams', '1', '2')
    one = [
        ['like for like', 'as-is', 'Mask R-CNN', '2.00x its time', '<= 1.15', 'NO'],
        ['like for like', 'as-is', 'triads', '2.50x faster', '>= 2.5', 'yes'],
        ['like for like', 'speed_up', 'Mask R-CNN', '1.78x its time', '', ''],
        ['like for like', 'speed_up', 'triads', '2.50x faster', '', ''],
        ['as shipped', 'speed_up / as-is', 'triads', '3.12x faster', '>= 2.5', 'yes'],
    ]
    assert [row[:3] + row[6:9] for row in rows] == one * 2
    assert [row[3] for row in rows] == ['1'] * 5 + ['2'] * 5
    assert rows[4][4:6] == ['1.600 (1.600-1.600)', '5.000 (5.000-5.000)']
    assert rows[9][4:6] == ['0.800 (0.800-0.800)', '2.500 (2.500-2.500)']  # per exam
    assert [row[9:] for row in rows] == [['8', '8']] * 5 + [['4', '4']] * 5
    assert 'is read in the row "as shipped"' in out
    assert 'as-is: best scores of the images are those of the untouched model but for 0e+00' in out


def test_each_setting_is_compared_with_itself_and_only_the_shipped_one_with_another(inference):
    rows = inference.comparisons(['bf16', 'speed_up+bf16'])
    assert [(row.setting, row.theirs[1], row.goal) for row in rows] == [
        ('bf16', 'Mask R-CNN', None),
        ('bf16', 'triads', None),
        ('speed_up+bf16', 'Mask R-CNN', None),
        ('speed_up+bf16', 'triads', None),
    ]
    assert 'as shipped' in [row.what for row in inference.comparisons(['speed_up', 'as-is'])]


def test_triads_of_several_exams_see_what_the_exams_see(inference, pair):
    """An examined view gets the same features, so that both schemes do the same work behind them."""
    model, batch = pair[1], noise_exams((64, 64), 2)
    seen = []
    handle = model.neck.register_forward_hook(lambda _, __, levels: seen.append(levels))
    predictor(model, batch)()
    results = inference.triads(model, batch)()
    handle.remove()
    together, *triads = seen
    for view, (levels, samples) in enumerate(zip(triads, results, strict=True)):
        for level, whole in zip(levels, together, strict=True):
            torch.testing.assert_close(level[::3], whole[view::4], rtol=1e-4, atol=1e-4 * float(whole.abs().max()))
        assert [s.img_id for s in samples] == [batch['data_samples'][i].img_id for i in (view, 4 + view)]
        assert all('masks' in sample.pred_instances for sample in samples)


def test_scores_differ_where_the_model_does(inference, pair):
    plain, multi = pair
    batch = noise_exams((64, 64))
    assert inference.score_difference(multi, multi, batch) == 0
    assert inference.score_difference(multi, with_setting(multi, 'speed_up'), batch) < 1e-5
    assert inference.score_difference(plain, with_setting(plain, 'speed_up'), batch) < 1e-5
    assert inference.score_difference(multi, plain, batch) > 1e-4  # the graph speaks


def test_rows_of_training(training, monkeypatch, capsys):
    monkeypatch.setattr(training, 'alternate', lambda *_: [[4.0], [6.0]])
    monkeypatch.setattr(training, 'memory_of', lambda *_: 8_000_000)
    rows, out = table_of(training, monkeypatch, capsys, '--return-memory', '--exams', '1', '2')
    settings = ['as-is', 'channels-last', 'bf16', 'channels-last+bf16']
    assert [row[:2] for row in rows] == [[s, n] for n in ('1', '2') for s in settings]
    assert rows[0][2:] == ['1.000', '1.500', '1.50', '<= 1.25', 'NO', '8.0', '8.0']
    assert rows[4][2:] == ['0.500', '0.750', '1.50', '<= 1.25', 'NO', '4.0', '4.0']  # 8 images, 2 exams
    assert all(row[5:7] == ['', ''] for row in rows if row[0] != 'as-is')
    assert 'what autograd keeps' in out


@pytest.mark.slow
def test_everything_is_really_run(inference, training, monkeypatch, capsys):
    settings = ('--settings', 'as-is', 'speed_up+bf16')
    rows, _ = table_of(inference, monkeypatch, capsys, '--exams', '2', *settings)
    assert len(rows) == 4
    assert all(float(cell) > 0 for row in rows for cell in row[9:])
    rows, _ = table_of(training, monkeypatch, capsys, '--return-memory', '--exams', '2', '--settings', 'as-is', 'bf16')
    assert len(rows) == 2
    assert all(float(cell) > 0 for row in rows for cell in row[7:])


@pytest.mark.parametrize('name', ['exam_inference', 'training_step', 'saliency'])
def test_help_shows_examples(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', [name, '--help'])
    with pytest.raises(SystemExit) as end:
        load(name).parse_args()
    assert end.value.code == 0
    assert f'python benchmarks/{name}.py --' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['--exams', '0'], 'expected a whole number from 1 on'),
        (['--size', '0', '64'], 'expected a whole number from 1 on'),
        (['--device', 'cuda:99'], 'expected cpu'),
        (['--settings', 'fp8'], 'invalid choice'),
    ],
)
def test_bad_options_end_in_one_message(inference, training, args, message, capsys):
    for module in (inference, training):
        with pytest.raises(SystemExit) as end:
            module.parse_args(args)
        assert end.value.code == 2
        assert message in capsys.readouterr().err
