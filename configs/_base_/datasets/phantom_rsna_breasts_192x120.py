# The same, cut to the breast and strongly augmented. Parent: ./phantom_rsna.py
_base_ = ['./phantom_rsna.py']

data_root = 'data/phantom_rsna_cut/'
inputs = [
    dict(
        makes='data/phantom_rsna_cut/prepare.json',
        command='tools/prepare_dataset.py phantom --raw data/phantom_rsna/raw --out data/phantom_rsna_cut '
        '--num-exams 400 --phantom-height 256 --phantom-prevalence 0.15 --phantom-contrast 1.5 3 '
        '--finding-mix mass=1 --phantom-split 0.6 0.2 0.2 --single-class mass',
    )
]

_base_.resize.scale = (120, 192)  # parent: 128 x 128; (w, h)
test_pipeline = [*_base_.load, _base_.resize, _base_.pack]  # parent: turned as displayed

train_dataloader = dict(
    dataset=dict(data_root=data_root, pipeline=[*_base_.load, _base_.resize, *_base_.strong, _base_.pack]),
)
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
