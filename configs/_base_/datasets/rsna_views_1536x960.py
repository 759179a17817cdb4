# Larger images. Parent: ./rsna_views.py
_base_ = ['./rsna_views.py']

_base_.resize.scale = (960, 1536)  # parent: 1024 x 1024; (w, h)
test_pipeline = [*_base_.load_whole, _base_.resize, _base_.pack]

train_dataloader = dict(
    batch_size=16,  # parent: 32
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.minimal, _base_.pack]),
)
val_dataloader = dict(batch_size=16, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(batch_size=16, dataset=dict(pipeline=test_pipeline))
