# AG-RCNN whose nodes carry the strongest evidence of their place instead of the mean of its pixels and are told in
# training whether a lesion lies there, and whose other breast sends messages too: past paper 3. Trained as a whole, as
# its twin: the stages of ../agrcnn_cbis.py give the graph the last six epochs only. Parent: ./agrcnn_end_to_end_cbis.py
_base_ = ['./agrcnn_end_to_end_cbis.py']

_base_.model.neck[1].update(
    type='mmmammo.EvidenceGraphNeck',  # parent: mmmammo.AnatomyGraphNeck
    k=1,  # parent: 3, which tells a place what its neighbours' partners show
    prior_smoothing=0.1,  # parent: 0
)
model = dict(neck=_base_.model.neck)
