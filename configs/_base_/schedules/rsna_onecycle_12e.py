# Paper 2, experiments 6 to 8: one cycle. Parent: ./rsna_12e.py
_base_ = ['./rsna_12e.py']

# From eta_max / 25 up to it within a share pct_start of the training, then down to a 10,000th of where it began.
# torch's scheduler moves beta1 from .95 to .85 and back meanwhile; here it stays.
param_scheduler = [
    dict(
        type='mmmammo.OneCycleLR',
        eta_max=0.0004,  # the rate of the optimizer is not used, so --auto-scale-lr does nothing: scale this
        total_steps=_base_.max_epochs,
        pct_start=0.3,
        by_epoch=True,
        convert_to_iter_based=True,
    )
]
