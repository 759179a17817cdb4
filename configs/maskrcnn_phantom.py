# Mask R-CNN on the phantom: the twin of maskrcnn_cbis.py, and the single-view baseline of agrcnn_phantom.py.
# A batch is four images, shuffled over all exams; that of agrcnn_phantom.py is one whole exam, its four views.
_base_ = [
    './_base_/models/mask_rcnn_r18_small.py',
    './_base_/datasets/phantom_decoy_images.py',
    './_base_/schedules/phantom_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_decoys'
randomness = dict(seed=0)
