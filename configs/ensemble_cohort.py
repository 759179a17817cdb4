# The Ensemble of paper 4 (Table 1): the mean of the Holistic and the Attention model's risk of each image.
# The paper's: AUC 0.940 and 0.891. Nothing is trained: a checkpoint of attention_cohort.py holds both models.
#   python tools/test.py configs/ensemble_cohort.py work_dirs/attention_cohort/epoch_30.pth
#   python tools/crossval.py configs/ensemble_cohort.py       (averages the scores of both, fold by fold)
_base_ = ['./attention_cohort.py']

model = dict(score='mean')  # parent: 'attention'
crossval = dict(
    _delete_=True,
    folds=10,
    stratify='exam_outcome',
    unit='exam',
    needs=dict(holistic='configs/holistic_cohort.py', attention='configs/attention_cohort.py'),
    average='log_odds',
)
