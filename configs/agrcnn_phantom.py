# AG-RCNN on the phantom: the twin of agrcnn_cbis.py that trains from scratch on a CPU.
# Differs from agrcnn_cbis.py: half a ResNet-18, 64 channels and light heads, images 320 px high, AdamW, two stages;
# anchors of an octave per level, and the graph learns five times as fast, without weight decay.
# A batch is one whole exam, as a view needs its partners; that of maskrcnn_phantom.py is four images of any exams.
_base_ = [
    './_base_/models/agrcnn_r18_small.py',
    './_base_/datasets/phantom_decoy_exams.py',
    './_base_/schedules/agrcnn_staged_small.py',
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
randomness = dict(seed=0)
