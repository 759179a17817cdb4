# The phantom, image by image, with the flips and the metrics of paper 0. Parent: ./phantom_images.py
_base_ = ['./phantom_images.py']

iou_thrs = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
size_classes = {'small': (0, 24), 'large': (24, 1e5)}  # about half of the lesions each; sides in prepared pixels

# Parent: SmoothResize. These twins were trained before there was one; it differs for the few images that grow.
_base_.train_pipeline[2].update(type='Resize', interpolation='area')
_base_.test_pipeline[1].update(type='Resize', interpolation='area')
_base_.train_pipeline.insert(3, dict(type='RandomFlip', prob=0.5))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
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
