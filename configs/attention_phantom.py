# The Attention model on the phantom's screening programme: the twin of attention_cohort.py that trains on a CPU.
#   python tools/train.py configs/attention_phantom.py --cfg-options model.holistic=CHECKPOINT_OF_HOLISTIC
_base_ = [
    './_base_/models/attention_resnet18_small.py',
    './_base_/datasets/phantom_cohort_attention.py',
    './_base_/schedules/cohort_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_cohort/'
randomness = dict(seed=0)
default_hooks = dict(
    attention_centres=dict(type='mmmammo.AttentionCentresHook', pipeline={{_base_.test_pipeline}}, batch_size=32)
)
# The phantom knows where its lesions are: does the window hold them?
test_evaluator = [dict(type='mmmammo.CohortTableMetric'), dict(type='mmmammo.ROIHitMetric')]
crossval = dict(
    needs=dict(holistic='configs/holistic_phantom.py'),
    options={'model.holistic': '{holistic.checkpoint}'},
)
