# The phantom as patches small enough to train on a CPU. Parent: ./vindr_patches.py
# It has seven of the ten findings: no skin thickening, skin retraction and nipple retraction (docs/phantom.md). Their
# outputs stay, and learn to be 0. Findings are plainer than the phantom's usual ones: with those, small networks that
# start from scratch learn little from a few hundred boxes.
_base_ = ['./vindr_patches.py']

data_root = 'data/phantom_patches/'
window = 64  # parent: 256; 19 mm, where 256 pixels of VinDr-Mammo are about 23
context = 0
num_workers = 1  # parent: 4

# What the tools make when it is missing.
inputs = [
    dict(
        makes='data/phantom_patches/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom_patches --num-exams 400 --phantom-height 768 '
        '--phantom-prevalence 0.9 --phantom-contrast 1.5 4 --phantom-split 0.6 0.1 0.3 --finding-mix mass=1 '
        'calcification=1 focal_asymmetry=1 distortion=1 asymmetry=1 lymph_node=1 global_asymmetry=1',
    )
]

_base_.train_pipeline[1].jitter = _base_.test_pipeline[1].jitter = 14  # parent: 50; 4 mm, as there
for pipeline in (_base_.train_pipeline, _base_.test_pipeline):
    pipeline[2].update(size=window, context=context)

train_dataloader = dict(
    num_workers=num_workers,
    sampler=dict(length=2048),  # parent: as long as the dataset, here about 7,000
    dataset=dict(data_root=data_root, pipeline=_base_.train_pipeline),
)
val_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
test_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
