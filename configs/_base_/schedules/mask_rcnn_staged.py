# The three stages of paper 3 for a Mask R-CNN, 20/20/16 epochs. The paper gives 10 / missing / 5 epochs but lets the
# graph network begin at epoch 56; the published code has 20 per stage.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=56, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

custom_hooks = [
    dict(
        type='mmmammo.StagedTrainingHook',
        stages=[
            dict(name='heads', epochs=20, trainable=['neck', 'rpn_head', 'roi_head'], lr=0.002),
            dict(
                name='upper backbone',
                epochs=20,
                trainable=['backbone.layer[34]', 'neck', 'rpn_head', 'roi_head'],
                lr=0.0005,
            ),
            dict(name='everything', epochs=16, trainable=['backbone', 'neck', 'rpn_head', 'roi_head'], lr=0.0001),
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
auto_scale_lr = dict(enable=False, base_batch_size=2)  # images, as in the paper; tools/train.py --auto-scale-lr

model_wrapper_cfg = dict(type='MMDistributedDataParallel', find_unused_parameters=True)
