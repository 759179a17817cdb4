# AG-RCNN on CBIS-DDSM (paper 3, table "Metrics comparison", row "Our AGRCNN").
# The paper's: recall 78.4 / 85.5 / 90.1 / 91.6 / 92.5 % at 0.5 / 1 / 2 / 3 / 4 false positives per image.
# Differs from the paper because:
#   * a batch holds one exam (up to four views, each encoded once) instead of triads of which one view is examined; the
#     baseline takes 2 images a step, so at equal epochs it makes up to twice as many steps;
#   * stages are 20/20/16 epochs and then 6 of the graph network: its text gives 10/?/5, its figures epochs 56 and 62;
#   * the rows of the inception graph's adjacency are normalised, which its formula leaves out (row_norm=False has it);
#   * attention is neutral at 1/2, factor 1.2, and W_f starts at I / 1.2: the graph network begins as the identity;
#   * anchors have ratios 0.5, 1, 2: the paper's 1.5 to 3.6 contradict its masses' mean aspect of 1.08;
#   * the first convolution sums the RGB filters: the paper's luma weights leave a third of the response that the
#     frozen BatchNorm expects (backbone.stem_adaptation='luma' has them);
#   * landmarks are found by the robust method, and the corner line of MLO views runs half-way to the corner: the
#     paper's recipe is for clean film, its corner line overshoots (agrcnn/agrcnn_as_printed_cbis.py has both);
#   * a tenth of the links between views is cut in training, to be ready for missing views; where the other breast is
#     missing, attention is 1/2 and the factor 1.2, as where nothing differs;
#   * images keep their aspect, the longest side 1024, and are padded: its 1024 x 1024 would stretch them;
#   * the first 500 steps warm up;
#   * masks are 28 x 28, as its RoIAlign of 14 and a deconvolution give; its text says 14 x 14;
#   * half precision is a choice of the command line: tools/train.py --amp.
_base_ = [
    './_base_/models/agrcnn_r50.py',
    './_base_/datasets/cbis_exams.py',
    './_base_/schedules/agrcnn_staged.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
prior = f'{data_root}/geometric_prior_22_26.json'
inputs = [  # what the tools make of the prepared set when it is missing
    dict(makes=prior, command=f'tools/build_geometric_prior.py {data_root}/annotations/train.json --out {prior}')
]

_base_.model.neck[1].prior = prior
model = dict(neck=_base_.model.neck, lesion_matcher=dict(type='mmmammo.LesionMatcher'))
test_evaluator = [*_base_.test_evaluator, dict(type='mmmammo.LesionMatchingMetric')]
randomness = dict(seed=0)
