# The two steps of AG-RCNN in small: first Mask R-CNN alone, then with the graph network. From scratch there is nothing
# to freeze in the first step.
_base_ = ['./multi_view_small.py']

custom_hooks = [
    dict(
        type='mmmammo.StagedTrainingHook',
        stages=[
            dict(name='detector', epochs=1, trainable=['backbone', 'neck.0', 'rpn_head', 'roi_head'], lr=0.0005),
            dict(name='joint', epochs=2, trainable=['backbone', 'neck', 'rpn_head', 'roi_head'], lr=0.0005),
        ],
    )
]

model_wrapper_cfg = dict(type='MMDistributedDataParallel', find_unused_parameters=True)
