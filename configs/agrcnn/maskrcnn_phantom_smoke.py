# Mask R-CNN beside agrcnn_phantom_smoke.py: the same exams, as many epochs. Parent: ../maskrcnn_phantom.py
_base_ = ['../maskrcnn_phantom.py']

data_root = 'data/phantom_smoke'
inputs = [
    dict(
        makes=f'{data_root}/prepare.json',
        command=f'tools/prepare_dataset.py phantom --out {data_root} --num-exams 48 --phantom-height 512 '
        '--finding-mix mass=1 --single-class mass',
    )
]

train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))

_base_.param_scheduler[0].end = 20  # parent: 100; there are 204 iterations in all
_base_.param_scheduler[1].T_max = 6
param_scheduler = _base_.param_scheduler
optim_wrapper = dict(optimizer=dict(lr=0.001))  # parent: 0.0005
train_cfg = dict(max_epochs=6, val_interval=6)
