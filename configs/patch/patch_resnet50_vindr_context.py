# The score of a window is that of its block of features computed with what surrounds it: one pass over a view then
# gives every window's score exactly. 224 pixels are as far as ResNet-50 looks. Parent: ./patch_resnet50_vindr.py
_base_ = ['./patch_resnet50_vindr.py']

context = 224  # parent: 0
for pipeline in (_base_.train_pipeline, _base_.test_pipeline):
    pipeline[2].context = context

model = dict(head=dict(cells=8))  # parent: all of the map, which is the window there
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.train_pipeline))  # parent: 32
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.test_pipeline))
auto_scale_lr = dict(base_batch_size=8)
