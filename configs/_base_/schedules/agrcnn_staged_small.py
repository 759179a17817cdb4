# The two steps of AG-RCNN in small: first Mask R-CNN alone, then with the graph network. From scratch there is nothing
# to freeze in the first step.
_base_ = ['./phantom_small.py']

custom_hooks = [
    dict(
        type='mmmammo.StagedTrainingHook',
        stages=[
            dict(name='detector', epochs=6, trainable=['backbone', 'neck.0', 'rpn_head', 'roi_head'], lr=0.0005),
            dict(name='joint', epochs=6, trainable=['backbone', 'neck', 'rpn_head', 'roi_head'], lr=0.0005),
        ],
    )
]

auto_scale_lr = dict(base_batch_size=1)  # an exam; parent: 4 images

model_wrapper_cfg = dict(type='MMDistributedDataParallel', find_unused_parameters=True)
