# Mask R-CNN beside agrcnn_phantom_smoke.py: the same exams, as many epochs. Parent: ../maskrcnn_phantom.py
_base_ = ['../maskrcnn_phantom.py']

data_root = 'data/phantom_smoke'
image_scale = (320, 256)  # parent: (512, 416)
inputs = [
    dict(
        makes=f'{data_root}/prepare.json',
        command=f'tools/prepare_dataset.py phantom --out {data_root} --num-exams 48 --phantom-height 384 '
        '--finding-mix mass=1 --single-class mass',
    )
]

_base_.train_pipeline[2].scale = image_scale
_base_.test_pipeline[1].scale = image_scale
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))

_base_.param_scheduler[1].T_max = 6
param_scheduler = _base_.param_scheduler
train_cfg = dict(max_epochs=6, val_interval=6)
