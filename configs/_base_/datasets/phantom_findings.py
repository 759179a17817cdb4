# The findings of the phantom as patches small enough to train on a CPU. Parent: ./cbis_findings.py
_base_ = ['./cbis_findings.py']

data_root = 'data/phantom/'
patch_size = 64  # parent: 224
num_workers = 1  # parent: 4

# The set of phantom_exams.py; the tools make it when it is missing.
inputs = [
    dict(
        makes='data/phantom/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom --num-exams 320 --phantom-height 512 '
        '--phantom-split 0.5 0.05 0.45 --finding-mix mass=1 --single-class mass',
    )
]

_base_.train_pipeline[1].size = patch_size
_base_.test_pipeline[1].size = patch_size

train_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.train_pipeline))
val_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
test_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
