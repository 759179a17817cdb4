# The Attention model on the phantom, judged as a localiser: boxes round the peaks of its saliency against the lesions.
#   python tools/test.py configs/image_labels/saliency_phantom.py CHECKPOINT_OF_ATTENTION --report report
# Training is that of ../attention_phantom.py.
_base_ = ['../attention_phantom.py']

model = dict(localise=True)  # parent: False
test_evaluator = [
    dict(type='mmmammo.CohortTableMetric'),
    dict(type='mmmammo.ROIHitMetric'),
    dict(type='mmmammo.LocalisationMetric'),
    dict(type='mmmammo.FROCMetric', matching='centre_in_box'),
    dict(type='mmmammo.APMetric'),
]
