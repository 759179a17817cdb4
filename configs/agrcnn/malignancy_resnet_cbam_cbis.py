# Malignancy of detected lesions, the perspective of paper 3: ResNet-50 with CBAM in every block, on patches.
# Second stage of the inferencer: python tools/infer.py CONFIG CKPT EXAMS --out DIR --malignancy THIS_CONFIG ITS_CKPT
# which reads data/cbis_ddsm/prepare.json, or a copy of it named with --prepared-as.
_base_ = [
    '../_base_/models/malignancy_resnet_cbam.py',
    '../_base_/datasets/cbis_findings.py',
    '../_base_/schedules/patch_classifier.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
randomness = dict(seed=0)
