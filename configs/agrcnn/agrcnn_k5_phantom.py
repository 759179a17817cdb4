# The twin of agrcnn_k5_cbis.py that trains on a CPU. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

_base_.model.neck[1].k = 5  # parent: 3
model = dict(neck=_base_.model.neck)
