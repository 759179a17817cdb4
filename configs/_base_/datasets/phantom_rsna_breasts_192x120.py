# The same, cut to the breast and strongly augmented. Parent: ./phantom_rsna.py
_base_ = ['./phantom_rsna.py']

data_root = 'data/phantom_rsna_cut/'
inputs = [  # of the same raw images
    dict(
        makes='data/phantom_rsna_cut/prepare.json',
        command=_base_.inputs[0]
        .command.replace('--out data/phantom_rsna', '--raw data/phantom_rsna/raw --out data/phantom_rsna_cut')
        .replace(' --no-crop', ''),
    )
]

_base_.resize.scale = (120, 192)  # parent: 128 x 128; (w, h)
test_pipeline = [*_base_.load, _base_.resize, _base_.pack]  # parent: turned as displayed

train_dataloader = dict(
    dataset=dict(data_root=data_root, pipeline=[*_base_.load, _base_.resize, *_base_.strong, _base_.pack]),
)
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=test_pipeline))
