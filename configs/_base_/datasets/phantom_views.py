# The phantom view by view, at a size that trains on a CPU. Parent: ./birads_views.py
_base_ = ['./birads_views.py']

data_root = 'data/phantom/'
num_workers = 1  # parent: 4

# The set of phantom_exams.py; the tools make it when it is missing.
inputs = [
    dict(
        makes='data/phantom/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom --num-exams 320 --phantom-height 512 '
        '--phantom-split 0.5 0.05 0.45 --finding-mix mass=1 --single-class mass',
    )
]

train_dataloader = dict(batch_size=16, num_workers=num_workers, dataset=dict(data_root=data_root))  # parent: 64
val_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root))
test_dataloader = dict(num_workers=num_workers, dataset=dict(data_root=data_root))
