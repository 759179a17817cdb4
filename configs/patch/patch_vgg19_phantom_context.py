# The twin of patch_vgg19_vindr_context.py that trains from scratch on a CPU; VGG-11 looks 64 pixels far.
# Parent: ./patch_vgg19_phantom.py
_base_ = ['./patch_vgg19_phantom.py']

context = 64  # parent: 0
for pipeline in (_base_.train_pipeline, _base_.test_pipeline):
    pipeline[2].context = context

model = dict(head=dict(cells=2))  # parent: all of the map, which is the window there
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
