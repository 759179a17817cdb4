# "Pretrained" of paper 4, Table 1, as its text has it: NYU's view-wise model with heatmaps, with the weights they
# released: image, benign and malignant heatmap. ../nyu_pretrained_cohort.py does without the heatmaps.
# The paper's: AUC 0.833 for screening cancers against the rest, 0.784 with interval cancers among the cases.
#   python tools/convert/nyu_weights.py DOWNLOAD/models/*.p --out work_dirs/nyu
#   python tools/patch_heatmaps.py configs/nyu/nyu_pretrained_heatmaps_cohort.py work_dirs/nyu/nyu_patch.pth
#   python tools/test.py configs/nyu/nyu_pretrained_heatmaps_cohort.py work_dirs/nyu/nyu_image_heatmaps.pth
_base_ = ['../nyu_pretrained_cohort.py']

model = dict(backbone=dict(in_channels=3))
load_from = 'work_dirs/nyu/nyu_image_heatmaps.pth'

heatmaps = dict(type='mmmammo.LoadPatchHeatmaps')
train_pipeline = [_base_.train_pipeline[0], heatmaps, *_base_.train_pipeline[1:]]
test_pipeline = [_base_.test_pipeline[0], heatmaps, *_base_.test_pipeline[1:]]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
