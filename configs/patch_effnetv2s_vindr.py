# The sliding-patch classifier of paper 1 with the backbone that it chose.
# Aims at: the per-class table (N = 4,131) and the row of the table of backbones (N = 442); see patch/README.md.
# Differs from the paper because it gives no size of EfficientNetV2, CLAHE parameters, batch, epochs, threshold or rule
# for several labels: the choices are in the base files, each with what is known.
_base_ = [
    '_base_/models/patch_effnetv2s.py',
    '_base_/datasets/vindr_patches.py',
    '_base_/schedules/patch_plateau.py',
    '_base_/default_runtime.py',
]

data_root = 'data/vindr_full'
randomness = dict(seed=0)
