# AG-RCNN in two minutes on a CPU: shows that everything works, not how well. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

data_root = 'data/phantom_smoke'
prior = f'{data_root}/geometric_prior_22_26.json'
inputs = [
    dict(
        makes=f'{data_root}/prepare.json',
        command=f'tools/prepare_dataset.py phantom --out {data_root} --num-exams 48 --phantom-height 512 '
        '--finding-mix mass=1 --single-class mass',
    ),
    dict(makes=prior, command=f'tools/build_geometric_prior.py {data_root}/annotations/train.json --out {prior}'),
]

_base_.model.neck[1].prior = prior
model = dict(neck=_base_.model.neck)
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))

_base_.custom_hooks[0].stages[0].epochs = 2  # parent: 1
_base_.custom_hooks[0].stages[1].epochs = 4  # parent: 2
_base_.custom_hooks[0].stages[0].lr = 0.001  # parent: 0.0005
_base_.custom_hooks[0].stages[1].lr = 0.001
_base_.param_scheduler[0].end = 20  # parent: 100; there are 204 iterations in all
_base_.param_scheduler[1].T_max = 6
custom_hooks = _base_.custom_hooks
param_scheduler = _base_.param_scheduler
train_cfg = dict(max_epochs=6, val_interval=6)
