# Experiments 4 and 5 as their notebooks ran them: only cut to the breast, because the search for the muscle failed on
# every image and was passed over in silence; experiment 5 has the B4 of experiment 4.
# Parent: ./preprocessed_effnetb4_rsna.py
_base_ = ['./preprocessed_effnetb4_rsna.py']

data_root = 'data/rsna/'  # parent: data/rsna_no_muscle/

train_dataloader = dict(sampler=dict(shuffle=False), dataset=dict(data_root=data_root))  # parent: True
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
optim_wrapper = dict(optimizer=dict(weight_decay=0.0))  # parent: 1e-8
