# The phantom as a screening programme of four-view exams, for a CPU. Parent: ./cohort_four_views.py
_base_ = ['./cohort_four_views.py']

data_root = 'data/phantom_cohort/'
# Its images are 512 pixels high where NYU's detector has 3328: all lengths are 0.15 of the parent's.
windows = dict(CC=(412, 299), MLO=(457, 269))
iterations = 15
buffer = 8
noise = 15
crops = 4  # parent: 10
num_workers = 1  # parent: 4

# The programme of phantom_cohort.py; the tools make it when it is missing.
inputs = [
    dict(
        makes='data/phantom_cohort/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom_cohort --num-exams 320 --phantom-height 512 '
        '--phantom-prevalence 0.45 --phantom-malignant 0.8 --phantom-contrast 1 4 --phantom-decoys 0 0 '
        '--phantom-split 0.6 0.1 0.3 --finding-mix mass=1 --single-class mass',
    )
]

window = dict(type='mmmammo.NYUWindow', sizes=windows, iterations=iterations, buffer=buffer, breast='segmented')
train_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(**window, position_noise=noise, size_noise=noise),
    dict(type='mmmammo.PackView'),
]
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(**window, position_noise=noise, size_noise=noise, crops=crops, seed=0),
    dict(type='mmmammo.PackView'),
]
train_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root, pipeline=test_pipeline))
