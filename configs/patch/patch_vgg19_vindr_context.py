# Windows judged with their context, as in ./patch_resnet50_vindr_context.py; VGG-19 looks 128 pixels far.
# Parent: ./patch_vgg19_vindr.py
_base_ = ['./patch_vgg19_vindr.py']

context = 128  # parent: 0
for pipeline in (_base_.train_pipeline, _base_.test_pipeline):
    pipeline[2].context = context

model = dict(head=dict(cells=8))  # parent: all of the map, which is the window there
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.train_pipeline))  # parent: 32
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.test_pipeline))
auto_scale_lr = dict(base_batch_size=8)
