# The twin of patch_effnetv2s_vindr_sliding.py: windows of 64 every 16 pixels of the phantom.
# Parent: ../patch_effnetv2s_phantom.py
_base_ = ['../patch_effnetv2s_phantom.py']

# Whole views in place of patches; window by window as the classifier saw them in training.
model = dict(
    type='mmmammo.SlidingPatchDetector',  # parent: mmpretrain.ImageClassifier; checkpoints of that load
    sliding=dict(mode='exact', window=_base_.window, stride=16, batch_size=64),
    boxes=dict(threshold=0.02, level=0.5),
)
test_pipeline = [
    dict(type='mmmammo.LoadMammogram'),
    dict(type='mmmammo.CLAHEFuse', **_base_.fusion),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='mmmammo.PackMammogram'),
]
test_dataloader = dict(
    batch_size=1,  # views differ in size
    dataset=dict(
        _delete_=True,
        type='mmmammo.FindingViewDataset',
        data_root=_base_.data_root,
        ann_file='annotations/test.json',
        classes=_base_.findings,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = [dict(type='mmmammo.FROCMetric', bootstrap=1000), dict(type='mmmammo.APMetric')]
