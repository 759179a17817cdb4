# The Holistic model of paper 4 (Table 1): a whole view in 976 x 976 pixels, image labels only.
# The paper's: AUC 0.913 for screening cancers against the rest, 0.866 with interval cancers among the cases.
# What the paper leaves open and what is chosen here: image_labels/README.md.
_base_ = [
    './_base_/models/holistic_resnet101.py',
    './_base_/datasets/cohort_views.py',
    './_base_/schedules/cohort_30e.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cohort/'
randomness = dict(seed=0)
crossval = dict(options=dict(param_scheduler=[dict(type='MultiStepLR', by_epoch=True, milestones=[20, 27], gamma=0.1)]))
