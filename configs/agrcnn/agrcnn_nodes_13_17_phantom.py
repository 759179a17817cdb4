# The twin of agrcnn_nodes_13_17_cbis.py that trains on a CPU. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

num_nodes = (13, 17)  # parent: (22, 26)
prior = f'{_base_.data_root}/geometric_prior_13_17.json'
_base_.inputs[-1] = dict(
    makes=prior,
    command=f'tools/build_geometric_prior.py {_base_.data_root}/annotations/train.json --out {prior} --num-nodes 13 17',
)
inputs = _base_.inputs
_base_.model.neck[1].update(num_nodes=num_nodes, prior=prior)
_base_.train_pipeline[-1].num_nodes = num_nodes
_base_.test_pipeline[-1].num_nodes = num_nodes

model = dict(neck=_base_.model.neck)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
