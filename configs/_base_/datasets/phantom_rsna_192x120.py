# Larger images of the synthetic screening set. Parent: ./phantom_rsna.py
_base_ = ['./phantom_rsna.py']

_base_.resize.scale = (120, 192)  # parent: 128 x 128; (w, h)
test_pipeline = [*_base_.load_whole, _base_.resize, _base_.pack]

train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.minimal, _base_.pack]),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
