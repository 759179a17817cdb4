# The twin of agrcnn_original_fusion_random_cbis.py that trains on a CPU. Parent: ./agrcnn_original_fusion_phantom.py
_base_ = ['./agrcnn_original_fusion_phantom.py']

_base_.model.neck[1].fusion_start = 'random'  # parent: the identity
model = dict(neck=_base_.model.neck)
