# The twin of xattn_cbis.py that trains from scratch on a CPU; compare with ../agrcnn_phantom.py.
_base_ = [
    '../_base_/models/xattn_rcnn_r18_small.py',
    '../_base_/datasets/phantom_exams.py',
    '../_base_/schedules/agrcnn_staged_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom'
model = dict(lesion_matcher=dict(type='mmmammo.LesionMatcher'))
test_evaluator = [*_base_.test_evaluator, dict(type='mmmammo.LesionMatchingMetric')]
randomness = dict(seed=0)
