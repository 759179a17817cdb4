# AG-RTMDet that trains from scratch on the phantom on a CPU: the width and depth of RTMDet-tiny, thinner still.
# Parent: ./agrtmdet_l.py
_base_ = ['./agrtmdet_l.py']

channels = 64  # parent: 256
norm_cfg = dict(type='GN', num_groups=4)  # parent: frozen BN in the backbone

_base_.model.neck[0].update(in_channels=[64, 128, 256], out_channels=channels, num_csp_blocks=1, norm_cfg=norm_cfg)
_base_.model.neck[1].in_channels = channels

model = dict(
    backbone=dict(deepen_factor=0.167, widen_factor=0.25, norm_cfg=norm_cfg, norm_eval=False, init_cfg=None),
    neck=_base_.model.neck,
    bbox_head=dict(in_channels=channels, feat_channels=channels, norm_cfg=norm_cfg),
    test_cfg=dict(nms_pre=400, max_per_img=50),
)
