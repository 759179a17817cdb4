# Three encoder layers and 300 queries with all four levels, to tell what the level does.
# Parent: ../ihrrb_dino_r50_4scale_birads.py
_base_ = ['../ihrrb_dino_r50_4scale_birads.py']

model = dict(num_queries=300, encoder=dict(num_layers=3))  # parent: 900, 6
