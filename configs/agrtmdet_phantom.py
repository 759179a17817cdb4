# RTMDet with the anatomy graph on the phantom: the twin of agrtmdet_cbis.py that trains from scratch on a CPU.
_base_ = [
    './_base_/models/agrtmdet_small.py',
    './_base_/datasets/phantom_decoy_exams.py',
    './_base_/schedules/multi_view_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_decoys'
prior = f'{data_root}/geometric_prior_22_26.json'
inputs = [
    *_base_.inputs,
    dict(makes=prior, command=f'tools/build_geometric_prior.py {data_root}/annotations/train.json --out {prior}'),
]

_base_.model.neck[1].prior = prior
model = dict(neck=_base_.model.neck, lesion_matcher=dict(type='mmmammo.LesionMatcher'))
test_evaluator = [*_base_.test_evaluator, dict(type='mmmammo.LesionMatchingMetric')]

optim_wrapper = dict(paramwise_cfg=dict(bypass_duplicate=True))  # the head's levels share their convolutions

# RTMDet's assigner takes masks, where there are any, for those of its own instance segmentation.
_base_.train_pipeline[1].update(with_mask=False, poly2mask=True)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
randomness = dict(seed=0)
