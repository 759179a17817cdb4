# AG-RCNN with the original fusion from a random start: what paper 3 says collapsed ("+ AGN (Original fusion)": recall
# 54.2 / 63.1 / 68.9 / 71.1 / 72.0 %). Parent: ./agrcnn_original_fusion_cbis.py
_base_ = ['./agrcnn_original_fusion_cbis.py']

_base_.model.neck[1].fusion_start = 'random'  # parent: the identity
model = dict(neck=_base_.model.neck)
