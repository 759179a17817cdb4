# AG-RCNN whose nodes carry the strongest evidence of their place instead of the mean of its pixels, and whose other
# breast sends messages too: past paper 3. Trained as a whole: three epochs of the graph alone, as in the stages of
# ../agrcnn_cbis.py, hardly move a neck that starts as the identity. Parent: ./agrcnn_end_to_end_cbis.py
_base_ = ['./agrcnn_end_to_end_cbis.py']

_base_.model.neck[1].update(
    type='mmmammo.EvidenceGraphNeck',  # parent: mmmammo.AnatomyGraphNeck
    k=1,  # parent: 3, which tells a place what its neighbours' partners show
    prior_smoothing=0.1,  # parent: 0
)
model = dict(neck=_base_.model.neck)
