"""The command, on a prepared set and on a config that names one."""

import importlib.util
from pathlib import Path

import pytest

from mmmammo import cli
from mmmammo.anatomy import GeometricPrior
from mmmammo.datasets.fold_part import FoldPart
from mmmammo.io.exam_index import read_index
from mmmammo.testing.prepared_set import make_prepared_set

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'build_geometric_prior.py'


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('build_geometric_prior', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
    return make_prepared_set(tmp_path_factory.mktemp('set'))


def test_from_an_index(main, prepared, tmp_path, capsys):
    out = tmp_path / 'new folder' / 'prior.json'
    assert main([str(prepared / 'annotations' / 'train.json'), '--out', str(out)]) == 0
    prior = GeometricPrior.load(out)
    assert prior.num_nodes == (22, 26)
    assert prior.num_pairs == 2  # every second of four exams has one lesion
    assert prior.counts.sum() == 2
    assert '2 lesion pairs in 16 views with landmarks of 16' in capsys.readouterr().out


def test_from_a_config_with_wrappers(main, prepared, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(
        'inner = dict(type="mmmammo.ExamDataset", ann_file="annotations/train.json", '
        f'data_root={str(prepared)!r})\n'
        'train_dataloader = dict(dataset=dict(type="RepeatDataset", times=2, dataset=inner))\n'
    )
    out = tmp_path / 'prior.json'
    assert main([str(config), '--out', str(out), '--num-nodes', '13', '17', '--per-triad']) == 0
    assert GeometricPrior.load(out).counts.sum() == 4


def test_from_the_config_of_a_fold(main, prepared, tmp_path, capsys):
    part = FoldPart(n=2, held_out=1, part='rest', pool=tuple(f'annotations/{s}.json' for s in ('train', 'val', 'test')))
    config = tmp_path / 'config.py'
    config.write_text(
        f'train_dataloader = dict(dataset=dict(type="mmmammo.ExamDataset", ann_file="annotations/train.json", '
        f'pipeline=[dict(type="NoSuchTransform")], data_root={str(prepared)!r}, folds={part.of_config()!r}))\n'
    )
    images = part.select([image for name in part.pool for image in read_index(prepared / name).images])
    pairs = sum(bool(image.findings) for image in images) // 2
    assert {image.exam_id.split('_')[0] for image in images} - {'train'}  # patients of other splits are learned from
    assert main([str(config), '--out', str(tmp_path / 'prior.json')]) == 0
    assert f'{pairs} lesion pairs in {len(images)} views' in capsys.readouterr().out


@pytest.mark.parametrize(('source', 'message'), [('none.json', 'none.json'), ('none.py', 'config: found no such file')])
def test_missing_source_is_one_line(main, tmp_path, capsys, source, message):
    with pytest.raises(SystemExit) as end:
        cli.run(lambda: main([str(tmp_path / source), '--out', str(tmp_path / 'p.json')]))
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ')
    assert message in error
    assert not (tmp_path / 'p.json').exists()
