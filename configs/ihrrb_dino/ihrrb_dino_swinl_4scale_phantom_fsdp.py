# The twin of ihrrb_dino_swinl_4scale_birads_fsdp.py; runs on CPU processes, too:
# bash tools/dist_train.sh configs/ihrrb_dino/ihrrb_dino_swinl_4scale_phantom_fsdp.py 2
_base_ = ['../ihrrb_dino_swinl_4scale_phantom.py', '../_base_/fsdp.py']
