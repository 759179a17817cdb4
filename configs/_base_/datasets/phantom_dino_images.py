# The phantom, image by image, with the flips and the metrics of paper 0. Parent: ./phantom_images.py
_base_ = ['./phantom_images.py']

iou_thrs = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
size_classes = {'small': (0, 24), 'large': (24, 1e5)}  # about half of the lesions each; sides in prepared pixels

_base_.train_pipeline.insert(3, dict(type='RandomFlip', prob=0.5))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_evaluator = [
    dict(type='mmmammo.APMetric', iou_thrs=iou_thrs),
    dict(type='mmmammo.FROCMetric'),
    dict(type='mmmammo.ATDMetric', k=(10, 100)),
]
test_evaluator = [
    dict(type='mmmammo.APMetric', iou_thrs=iou_thrs, size_classes=size_classes),
    dict(type='mmmammo.FROCMetric', bootstrap=1000),
    dict(type='mmmammo.ATDMetric', k=(10, 100), size_classes=size_classes),
]
