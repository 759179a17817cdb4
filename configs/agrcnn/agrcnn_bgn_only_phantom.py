# The twin of agrcnn_bgn_only_cbis.py that trains on a CPU. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

_base_.model.neck[1].ign = False  # parent: True
model = dict(neck=_base_.model.neck)
