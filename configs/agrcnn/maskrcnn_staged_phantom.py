# The twin of ../maskrcnn_cbis.py with its three stages; ../maskrcnn_phantom.py is trained end to end. From scratch the
# backbone cannot stay frozen, so that here it is the deep layers that wait. Parent: ../maskrcnn_phantom.py
_base_ = ['../maskrcnn_phantom.py']

heads = ['neck', 'rpn_head', 'roi_head']
shallow = ['backbone.(conv1|gn1|layer[12])']
custom_hooks = [
    dict(
        type='mmmammo.StagedTrainingHook',
        stages=[
            dict(name='heads', epochs=1, trainable=[*shallow, *heads], lr=0.0005),
            dict(name='upper backbone', epochs=1, trainable=['backbone.layer[34]', *heads], lr=0.0005),
            dict(name='everything', epochs=1, trainable=['backbone', *heads], lr=0.0005),
        ],
    )
]

model_wrapper_cfg = dict(type='MMDistributedDataParallel', find_unused_parameters=True)
