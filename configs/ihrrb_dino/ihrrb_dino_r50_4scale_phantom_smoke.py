# IHRRB-DINO in minutes on a CPU: shows that everything works, not how well. Parent: ../ihrrb_dino_r50_4scale_phantom.py
_base_ = ['../ihrrb_dino_r50_4scale_phantom.py']

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
_base_.param_scheduler[1].update(end=6, milestones=[5])
param_scheduler = _base_.param_scheduler
train_cfg = dict(max_epochs=6, val_interval=6)
