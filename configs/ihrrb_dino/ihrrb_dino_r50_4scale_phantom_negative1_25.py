# Negatives between lambda1 = 1 and lambda2 = 1.25: a row of the table in README.md. Parent:
# ../ihrrb_dino_r50_4scale_phantom.py
_base_ = ['../ihrrb_dino_r50_4scale_phantom.py']

model = dict(dn_cfg=dict(neg_noise_scale=1.25))  # parent: 2.0
