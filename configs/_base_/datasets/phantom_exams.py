# The phantom, exam by exam, at a size that trains on a CPU. Parent: ./cbis_exams.py
_base_ = ['./cbis_exams.py']

data_root = 'data/phantom/'
image_scale = (320, 256)  # parent: (1024, 1024); longest and shortest side at most, aspect kept
num_workers = 1  # parent: 4

# What the tools make when it is missing. Masses only, as in the CBIS-DDSM experiment of paper 3, with all decoys:
# overlaps that one view shows and the other does not, benign tissue that both breasts show. Nearly half of the patients
# are kept for testing, because it is their number that decides which differences can be told from chance.
inputs = [
    dict(
        makes='data/phantom/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom --num-exams 320 --phantom-height 512 '
        '--phantom-split 0.5 0.05 0.45 --finding-mix mass=1 --single-class mass',
    )
]

_base_.train_pipeline[2].scale = image_scale
_base_.train_pipeline[3].update(spacing=64, magnitude=5)  # parent: 128, 10
_base_.test_pipeline[1].scale = image_scale

train_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.train_pipeline))
val_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
test_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
test_evaluator = [dict(type='mmmammo.FROCMetric', bootstrap=1000), dict(type='mmmammo.APMetric')]
