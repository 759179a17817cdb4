# AG-RCNN with 13 nodes in a CC view and 17 in an MLO view (paper 3, "PL(13, 17)": recall 76.8 / 84.1 / 89.3 %
# at 0.5 / 1 / 2). Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

num_nodes = (13, 17)  # parent: (22, 26)
prior = f'{_base_.data_root}/geometric_prior_13_17.json'
inputs = [
    dict(
        makes=prior,
        command=f'tools/build_geometric_prior.py {_base_.data_root}/annotations/train.json --out {prior} '
        '--num-nodes 13 17',
    )
]
_base_.model.neck[1].update(num_nodes=num_nodes, prior=prior)
_base_.train_pipeline[-1].num_nodes = num_nodes
_base_.test_pipeline[-1].num_nodes = num_nodes

model = dict(neck=_base_.model.neck)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
