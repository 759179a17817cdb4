# Without denoising: a row of the table in README.md. Parent: ../ihrrb_dino_r50_4scale_phantom.py
_base_ = ['../ihrrb_dino_r50_4scale_phantom.py']

model = dict(dn_cfg=None)  # parent: lambda1 1, lambda2 2
