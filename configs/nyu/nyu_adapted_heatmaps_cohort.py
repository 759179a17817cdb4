# "Adapted" of paper 4, Table 1, as its text has it: NYU's model with heatmaps, frozen, and a new head.
# The paper's: AUC 0.861 for screening cancers against the rest, 0.819 with interval cancers among the cases.
# Differs from ../nyu_adapted_cohort.py: two more channels, which tools/patch_heatmaps.py makes first, see
# ./nyu_pretrained_heatmaps_cohort.py.
_base_ = ['../nyu_adapted_cohort.py']

model = dict(backbone=dict(in_channels=3), columns_from='work_dirs/nyu/nyu_image_heatmaps.pth')

heatmaps = dict(type='mmmammo.LoadPatchHeatmaps')
train_pipeline = [_base_.train_pipeline[0], heatmaps, *_base_.train_pipeline[1:]]
test_pipeline = [_base_.test_pipeline[0], heatmaps, *_base_.test_pipeline[1:]]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
