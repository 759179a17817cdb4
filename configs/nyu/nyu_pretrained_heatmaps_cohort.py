# NYU's view-wise model with heatmaps, the better of the two that they released: image, benign and malignant heatmap.
# Paper 4 does not say which of them it tested; its "Pretrained" is compared with the image-only one.
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
