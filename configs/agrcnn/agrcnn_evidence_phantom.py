# The twin of agrcnn_evidence_cbis.py that trains from scratch on a CPU. Parent: ./agrcnn_end_to_end_phantom.py
_base_ = ['./agrcnn_end_to_end_phantom.py']

_base_.model.neck[1].update(
    type='mmmammo.EvidenceGraphNeck',  # parent: mmmammo.AnatomyGraphNeck
    k=1,  # parent: 3, which tells a place what its neighbours' partners show
    prior_smoothing=0.1,  # parent: 0
)
model = dict(neck=_base_.model.neck)
