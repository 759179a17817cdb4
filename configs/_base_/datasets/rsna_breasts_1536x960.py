# Larger images, cut to the breast, all with the chest wall on the left, strongly augmented. Parent: ./rsna_views.py
_base_ = ['./rsna_views.py']

data_root = 'data/rsna/'
_base_.resize.scale = (960, 1536)  # parent: 1024 x 1024; (w, h)
test_pipeline = [*_base_.load, _base_.resize, _base_.pack]  # parent: turned as displayed

train_dataloader = dict(
    batch_size=16,  # parent: 32
    dataset=dict(data_root=data_root, pipeline=[*_base_.load, _base_.resize, *_base_.strong, _base_.pack]),
)
val_dataloader = dict(batch_size=16, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(batch_size=16, dataset=dict(data_root=data_root, pipeline=test_pipeline))
