# The twin of agrcnn_evidence_cbis.py that trains on a CPU. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

_base_.model.neck[1].type = 'mmmammo.EvidenceGraphNeck'  # parent: mmmammo.AnatomyGraphNeck
model = dict(neck=_base_.model.neck)
