# The Swin-L model in shards over the GPUs of a machine (FSDP). Parent: ../ihrrb_dino_swinl_4scale_birads.py
# bash tools/dist_train.sh configs/ihrrb_dino/ihrrb_dino_swinl_4scale_birads_fsdp.py GPUS
_base_ = ['../ihrrb_dino_swinl_4scale_birads.py', '../_base_/fsdp.py']
