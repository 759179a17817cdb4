# Experiment 1 as its notebook ran it. Parent: ./baseline_effnetb4_rsna.py
# Its set was prepared with --bits 8 --no-voi. It also rounded the logits in front of loss and metric of validation:
# that is not done here, nor is it in the table.
_base_ = ['./baseline_effnetb4_rsna.py']

train_dataloader = dict(sampler=dict(shuffle=False))  # parent: True; patient by patient, every epoch alike
optim_wrapper = dict(optimizer=dict(weight_decay=0.0))  # parent: 1e-8, which never reached the optimizer
