# RTMDet with the anatomy graph of AG-RCNN on CBIS-DDSM: past paper 3, which has it on Mask R-CNN only. The rest is
# RTMDet for 16-bit views, as _base_/models/agrtmdet_l.py tells; compare with agrcnn_cbis.py.
_base_ = [
    './_base_/models/agrtmdet_l.py',
    './_base_/datasets/cbis_exams.py',
    './_base_/schedules/agrtmdet_36e.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
prior = f'{data_root}/geometric_prior_22_26.json'
inputs = [  # what the tools make of the prepared set when it is missing
    dict(makes=prior, command=f'tools/build_geometric_prior.py {data_root}/annotations/train.json --out {prior}')
]

_base_.model.neck[1].prior = prior
model = dict(neck=_base_.model.neck, lesion_matcher=dict(type='mmmammo.LesionMatcher'))
test_evaluator = [*_base_.test_evaluator, dict(type='mmmammo.LesionMatchingMetric')]

# RTMDet's assigner takes masks, where there are any, for those of its own instance segmentation.
_base_.train_pipeline[1].update(with_mask=False, poly2mask=True)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
randomness = dict(seed=0)
