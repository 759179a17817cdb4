# Malignancy of detected lesions, the perspective of paper 3: InceptionV3 on patches of 299 pixels.
# Second stage of the inferencer: python tools/infer.py CONFIG CKPT EXAMS --out DIR --malignancy THIS_CONFIG ITS_CKPT
# which reads data/cbis_ddsm/prepare.json, or a copy of it named with --prepared-as.
_base_ = [
    '../_base_/models/malignancy_inceptionv3.py',
    '../_base_/datasets/cbis_findings.py',
    '../_base_/schedules/patch_classifier.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
patch_size = 299  # parent: 224
_base_.train_pipeline[1].size = patch_size
_base_.test_pipeline[1].size = patch_size
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
randomness = dict(seed=0)
