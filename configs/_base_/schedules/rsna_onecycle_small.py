# One cycle from scratch on a CPU. Parent: ./rsna_small.py
_base_ = ['./rsna_small.py']

param_scheduler = [
    dict(
        type='mmmammo.OneCycleLR',
        eta_max=0.003,  # rsna_onecycle_12e.py: 0.0004
        total_steps=_base_.max_epochs,
        pct_start=0.3,
        by_epoch=True,
        convert_to_iter_based=True,
    )
]
