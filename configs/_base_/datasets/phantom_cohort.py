# The phantom as a screening programme, at a size that trains on a CPU. Parent: ./cohort_views.py
_base_ = ['./cohort_views.py']

data_root = 'data/phantom_cohort/'
width = 144  # parent: 976
crop = (192, 128)  # parent: 976 x 976; prepared images of the phantom are cut to the breast
margin = 8  # parent: 64
num_workers = 1  # parent: 4

# Made by the tools when it is missing, in about 4 minutes on two cores. Cancers are many and brighter than in
# data/phantom, and nothing else looks like them: from so few exams, a network that begins from scratch and is told no
# places would learn nothing else.
inputs = [
    dict(
        makes='data/phantom_cohort/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom_cohort --num-exams 320 --phantom-height 512 '
        '--phantom-prevalence 0.45 --phantom-malignant 0.8 --phantom-contrast 1 4 --phantom-decoys 0 0 '
        '--phantom-split 0.6 0.1 0.3 --finding-mix mass=1 --single-class mass',
    )
]

train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.ResizeToWidth', width=width),
    dict(type='mmmammo.RandomRigidCrop', size=crop, margin=margin, degrees=10.0, mirror_prob=0.5),
    dict(type='mmmammo.PackView'),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.ResizeToWidth', width=width),
    dict(type='mmmammo.CentreCrop', size=crop),
    dict(type='mmmammo.PackView'),
]
train_dataloader = dict(
    batch_size=16,  # parent: 4
    num_workers=num_workers,
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(batch_size=32, num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=32, num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=test_pipeline)
)
