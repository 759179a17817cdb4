# Experiments 4 and 5 as their notebooks ran them: only cut to the breast, because the search for the muscle failed on
# every image and was passed over in silence; experiment 5 has the B4 of experiment 4. Augmented as experiment 3's.
# Parent: ./preprocessed_effnetb4_rsna.py
_base_ = ['./preprocessed_effnetb4_rsna.py']

data_root = 'data/rsna/'  # parent: data/rsna_no_muscle/
_base_.strong[1].transforms[3] = dict(  # parent: ranges around 0
    type='Affine', translate_percent=0.1, rotate=30, scale=(0.8, 1.2), p=0.5
)

train_dataloader = dict(
    sampler=dict(shuffle=False),  # parent: True
    dataset=dict(data_root=data_root, pipeline=[*_base_.load, _base_.resize, *_base_.strong, _base_.pack]),
)
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
optim_wrapper = dict(optimizer=dict(weight_decay=0.0))  # parent: 1e-8
