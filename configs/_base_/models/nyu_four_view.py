# NYU's view-wise model: a ResNet-22 per projection, shared by left and right; 6,132,592 parameters.
model = dict(
    type='mmmammo.FourViewClassifier',
    backbone=dict(type='mmmammo.NYUResNet', in_channels=1),  # 3 with heatmaps of benign and malignant findings
    head=dict(type='mmmammo.BreastHead', in_channels=256, hidden_channels=512),
    noise=0.01,
)
