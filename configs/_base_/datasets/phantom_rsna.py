# A synthetic screening set: 400 women, cancer in one image of ten, at a size that trains on a CPU.
# Parent: ./rsna_views.py
_base_ = ['./rsna_views.py']

data_root = 'data/phantom_rsna/'
num_workers = 1  # parent: 8

# Made by the tools when it is missing, in about 3 minutes on two cores. Masses are brighter than gland, and nothing
# else looks like them: from so few cancers a network that begins from scratch would learn nothing else.
inputs = [
    dict(
        makes='data/phantom_rsna/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom_rsna --num-exams 400 --phantom-height 256 '
        '--phantom-prevalence 0.17 --phantom-malignant 0.8 --phantom-contrast 3 5 --phantom-decoys 0 0 '
        '--finding-mix mass=1 --phantom-split 0.6 0.2 0.2 --single-class mass --no-crop',
    )
]

_base_.resize.scale = (128, 128)  # parent: 1024 x 1024
test_pipeline = [*_base_.load_whole, _base_.resize, _base_.pack]

train_dataloader = dict(
    batch_size=16,  # parent: 32
    # parent: none; begun from scratch, batches with one cancer or none teach little in the time there is
    batch_sampler=dict(type='mmmammo.FixedRateBatchSampler', positive_rate=0.25),
    drop_last=False,  # parent: True; all batches are full
    num_workers=num_workers,
    dataset=dict(data_root=data_root, pipeline=[*_base_.load_whole, _base_.resize, *_base_.minimal, _base_.pack]),
)
val_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=test_pipeline))
crossval = dict(pool=('train', 'val', 'test'))  # parent: without test, which has no diagnosis there
