# VGG-19 with its features flattened in 7 x 7 cells, the literal reading of the paper's "flatten": 25,088 numbers.
# Parent: ./patch_vgg19_vindr.py
_base_ = ['./patch_vgg19_vindr.py']

model = dict(head=dict(pooling='flatten', grid=7))  # parent: their mean
