# The second stage of ../ihrrb_dino_r50_4scale_birads.py: 12 epochs on images 1.5 times as large (paper 0, 3.1).
# Read as DINO's own recipe, which the sentence repeats: larger training scales, not files blown up.
_base_ = [
    '../_base_/models/mammo_dino_r50.py',
    '../_base_/datasets/birads_images_x1_5.py',
    '../_base_/schedules/mammo_dino_finetune.py',
    '../_base_/default_runtime.py',
]

load_from = 'work_dirs/ihrrb_dino_r50_4scale_birads/epoch_36.pth'
model = dict(encoder=dict(num_cp=6))  # first stage: 0; 2.25 times as many tokens
randomness = dict(seed=0)
crossval = dict(  # each fold begins from the same fold of the first stage
    needs=dict(first='configs/ihrrb_dino_r50_4scale_birads.py'), options=dict(load_from='{first.checkpoint}')
)
