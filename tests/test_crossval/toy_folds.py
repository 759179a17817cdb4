"""A config of a tiny set, and tools that only pretend to train and test it."""

import csv
import json

from mmmammo.crossval.fold_config import CONFIG
from mmmammo.io.exam_index import read_index

CONFIG_TEXT = """
data_root = '{root}'
default_scope = 'mmdet'
train_cfg = dict(max_epochs=2)
randomness = dict(seed=5)
model = dict(type='Toy', size={size})
def _loader(split):
    dataset = dict(type='mmmammo.ViewClassificationDataset', data_root=data_root, labels='cancer',
                   ann_file=f'annotations/{{split}}.json')
    return dict(batch_size=2, num_workers=1, persistent_workers=True, dataset=dataset)
train_dataloader, val_dataloader, test_dataloader = _loader('train'), _loader('val'), _loader('test')
test_evaluator = [dict(type='mmmammo.ProbabilisticF1Metric', label_key='cancer')]
del _loader
{more}
"""

TRAIN = """
import argparse, pathlib, runpy, sys, time
parser = argparse.ArgumentParser()
parser.add_argument('config')
parser.add_argument('--work-dir')
parser.add_argument('--seed')
parser.add_argument('--resume', action='store_true')
args = parser.parse_args()
cfg = runpy.run_path(args.config)
work = pathlib.Path(args.work_dir)
if cfg['model'].get('broken') == cfg['train_dataloader']['dataset']['folds']['held_out']:
    sys.exit('no luck')
(work / 'starts').open('a').write('resumed ' if args.resume else 'begun ')
for epoch in range(2 if args.resume else 1, 3):
    print(f'Epoch(train) [{epoch}][1/1] loss: 1', flush=True)
    (work / f'epoch_{epoch}.pth').write_text(f"{args.seed} {cfg['model']['size']} {cfg.get('load_from')}")
    (work / 'last_checkpoint').write_text(str(work / f'epoch_{epoch}.pth'))
    if (work / 'wait').exists() and not args.resume:
        (work / 'started').touch()
        time.sleep(60)
"""

TEST = """
import json, pathlib, runpy, sys
config, checkpoint = sys.argv[1:3]
work = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
weights = pathlib.Path(checkpoint).read_text()
dataset = runpy.run_path(config)['test_dataloader']['dataset']
folds = dataset.get('folds')
rows = json.loads(pathlib.Path(dataset['data_root'], 'rows.json').read_text())
mine = rows[f"{folds['n']}/{folds['held_out']}" if folds else 'test']
shift = sum(map(ord, weights)) % 7 / 100 + ('--tta' in sys.argv) / 10
lines = ['image_id,exam_id,patient_id,laterality,view,split,label,score']
for image, exam, patient, side, view, label in mine:
    score = 0.2 + 0.4 * label + shift + int(image) % 5 / 50
    lines.append(f'{image},{exam},{patient},{side},{view},test,{label},{score!r}')
work.joinpath('scores.csv').write_text('\\n'.join(lines) + '\\n')
work.joinpath('metrics.json').write_text(json.dumps(
    {'metrics': {'pf1/image/auc': 0.5 + shift}, 'measures': {'pf1/image/auc': {'statistic': 'auc'}}}
))
"""


def write_rows(root, part, num_folds):
    """Tell the toy test who is in which fold, and in the test split."""
    images = [image for name in part.pool for image in read_index(root / name).images]
    folds = part.folds(images)
    rows = {f'{num_folds}/{fold}': [] for fold in range(num_folds)}
    for image in images:
        rows[f'{num_folds}/{folds[image.patient_id]}'].append(_row(image))
    rows['test'] = [_row(image) for image in read_index(root / 'annotations/test.json').images]
    (root / 'rows.json').write_text(json.dumps(rows))


def _row(image):
    side, view = image.laterality.value, image.view.value
    return [str(image.image_id), image.exam_id, image.patient_id, side, view, image.labels['cancer']]


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def starts(project, fold):
    """What the toy training was asked, one word per start."""
    return (project.fold_folder(fold) / 'starts').read_text().split()


__all__ = ['CONFIG', 'CONFIG_TEXT', 'TEST', 'TRAIN', 'read_csv', 'starts', 'write_rows']
