# Phantom exams with an overlap decoy per image, and so many exams that a training of an hour sees each three times.
# An overlap looks like a lesion in the one view that shows it, and what tells the two apart is the other view; with few
# exams seen often a model could remember instead which is which. Parent: ./phantom_exams.py
_base_ = ['./phantom_exams.py']

data_root = 'data/phantom_decoys/'
inputs = [
    dict(
        makes='data/phantom_decoys/prepare.json',
        command='tools/prepare_dataset.py phantom --out data/phantom_decoys --num-exams 1200 --phantom-height 512 '
        '--phantom-split 0.7 0.02 0.28 --phantom-decoys 1.0 0.4 --finding-mix mass=1 --single-class mass',
    )
]

train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
