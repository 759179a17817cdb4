# The twin of agrcnn_original_fusion_cbis.py that trains on a CPU. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

_base_.model.neck[1].fusion = 'multiplicative'  # parent: 'residual'
model = dict(neck=_base_.model.neck)
