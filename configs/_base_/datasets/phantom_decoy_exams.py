# Phantom exams with an overlap decoy per image, and enough of them that none is learned by heart. Parent: ./phantom_exams.py
# An overlap looks like a lesion in the one view that shows it. A detector that sees one view cannot tell (area under the
# curve 0.50 for a classifier of the features of Mask R-CNN), and a training exam's decoys can be remembered instead: with
# 144 exams in twelve epochs no graph network learned to look at the other view.
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
