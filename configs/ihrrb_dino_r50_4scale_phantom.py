# IHRRB-DINO on the phantom: the twin of ihrrb_dino_r50_4scale_birads.py that trains from scratch on a CPU.
# Differs from it: half a ResNet-18, 64 channels, two encoder and two decoder layers, 50 queries, images 320 px high.
_base_ = [
    './_base_/models/mammo_dino_r18_small.py',
    './_base_/datasets/phantom_dino_images.py',
    './_base_/schedules/mammo_dino_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom'
randomness = dict(seed=0)
