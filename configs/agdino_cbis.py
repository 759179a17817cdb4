# DINO with the anatomy graph of AG-RCNN on CBIS-DDSM: past paper 3, which has it on Mask R-CNN only. The rest is
# DINO for 16-bit views, as _base_/models/agdino_r50.py tells; compare with agrcnn_cbis.py.
_base_ = [
    './_base_/models/agdino_r50.py',
    './_base_/datasets/cbis_exams.py',
    './_base_/schedules/agdino_36e.py',
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
randomness = dict(seed=0)
