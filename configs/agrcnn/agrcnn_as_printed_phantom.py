# The twin of agrcnn_as_printed_cbis.py that trains on a CPU. Landmarks stay robust ones, as the paper's recipe is for
# film; from scratch there are no RGB filters to weigh. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

prior = f'{_base_.data_root}/geometric_prior_22_26_as_printed.json'
inputs = [
    _base_.inputs[0],
    dict(
        makes=prior,
        command=f'tools/build_geometric_prior.py {_base_.data_root}/annotations/train.json --out {prior} '
        '--corner-mode seed --per-triad',
    ),
]
_base_.model.neck[1].update(prior=prior, row_norm=False)
_base_.train_pipeline[-1].corner_mode = 'seed'  # parent: 'midpoint'
_base_.test_pipeline[-1].corner_mode = 'seed'

model = dict(neck=_base_.model.neck, rpn_head=dict(anchor_generator=dict(ratios=[1.5, 2.5, 3.6])))  # parent: 0.5, 1, 2
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
