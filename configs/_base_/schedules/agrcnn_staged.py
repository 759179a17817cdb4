# Paper 3: Mask R-CNN in three stages to epoch 56 (as ./mask_rcnn_staged.py, neck.0 being its FPN), then the graph
# network to epoch 62. Until epoch 56 the graph network is the identity.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=62, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

custom_hooks = [
    dict(
        type='mmmammo.StagedTrainingHook',
        stages=[
            dict(name='heads', epochs=20, trainable=['neck.0', 'rpn_head', 'roi_head'], lr=0.002),
            dict(
                name='upper backbone',
                epochs=20,
                trainable=['backbone.layer[34]', 'neck.0', 'rpn_head', 'roi_head'],
                lr=0.0005,
            ),
            dict(name='everything', epochs=16, trainable=['backbone', 'neck.0', 'rpn_head', 'roi_head'], lr=0.0001),
            # The paper freezes Mask R-CNN and says no more; three epochs of each are our choice.
            dict(name='graph', epochs=3, trainable=['neck.1'], lr=0.0005),
            dict(name='joint', epochs=3, trainable=['backbone', 'neck', 'rpn_head', 'roi_head'], lr=0.0001),
        ],
    )
]

# The stages replace lr. Half precision, as in the paper: tools/train.py --amp
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=0.0001),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500)]
auto_scale_lr = dict(enable=False, base_batch_size=1)  # an exam; tools/train.py --auto-scale-lr

model_wrapper_cfg = dict(type='MMDistributedDataParallel', find_unused_parameters=True)
