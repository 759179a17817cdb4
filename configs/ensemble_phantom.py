# The Ensemble on the phantom's screening programme: the twin of ensemble_cohort.py.
#   python tools/test.py configs/ensemble_phantom.py work_dirs/attention_phantom/epoch_60.pth
_base_ = ['./attention_phantom.py']

model = dict(score='mean')  # parent: 'attention'
crossval = dict(
    _delete_=True,
    folds=10,
    stratify='exam_outcome',
    unit='exam',
    needs=dict(holistic='configs/holistic_phantom.py', attention='configs/attention_phantom.py'),
    average='log_odds',
)
