# The Attention model of paper 4 (Table 1): the window where the Holistic model looks, at native resolution.
# The paper's: AUC 0.932 and 0.883. It needs a trained Holistic model:
#   python tools/train.py configs/attention_cohort.py --cfg-options model.holistic=CHECKPOINT_OF_HOLISTIC
#   python tools/crossval.py configs/attention_cohort.py      (finds or trains the Holistic model of the same fold)
_base_ = [
    './_base_/models/attention_resnet101.py',
    './_base_/datasets/cohort_attention.py',
    './_base_/schedules/cohort_30e.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cohort/'
randomness = dict(seed=0)
default_hooks = dict(
    attention_centres=dict(
        type='mmmammo.AttentionCentresHook', pipeline={{_base_.test_pipeline}}, batch_size=8, num_workers=4
    )
)
crossval = dict(
    needs=dict(holistic='configs/holistic_cohort.py'),
    options={
        'model.holistic': '{holistic.checkpoint}',
        'param_scheduler': [dict(type='MultiStepLR', by_epoch=True, milestones=[20, 27], gamma=0.1)],
    },
)
