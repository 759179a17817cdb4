# Cross-view attention in place of the anatomy graph on CBIS-DDSM: what landmarks are worth is the difference between
# ../agrcnn_cbis.py and this. Same detector, data and stages.
_base_ = [
    '../_base_/models/xattn_rcnn_r50.py',
    '../_base_/datasets/cbis_exams.py',
    '../_base_/schedules/agrcnn_staged.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
model = dict(lesion_matcher=dict(type='mmmammo.LesionMatcher'))
test_evaluator = [*_base_.test_evaluator, dict(type='mmmammo.LesionMatchingMetric')]
randomness = dict(seed=0)
