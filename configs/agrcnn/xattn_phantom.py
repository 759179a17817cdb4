# The twin of xattn_cbis.py that trains from scratch on a CPU; compare with
# agrcnn_end_to_end_phantom.py.
_base_ = [
    '../_base_/models/xattn_rcnn_r18_small.py',
    '../_base_/datasets/phantom_decoy_exams.py',
    '../_base_/schedules/multi_view_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_decoys'
model = dict(lesion_matcher=dict(type='mmmammo.LesionMatcher'))
test_evaluator = [*_base_.test_evaluator, dict(type='mmmammo.LesionMatchingMetric')]
randomness = dict(seed=0)
