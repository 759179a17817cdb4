# Weights, gradients and the optimizer's state in shards over the processes: torch's FSDP through mmengine's strategy.
# A process needs 1/n of the memory for them; activations: model.encoder.num_cp and with_cp of Swin.
# bash tools/dist_train.sh CONFIG PROCESSES; checkpoints are whole ones, which tools/test.py and tools/infer.py read.
runner_type = 'FlexibleRunner'
strategy = dict(
    type='mmmammo.WholeNormFSDPStrategy',  # mmengine's clips each shard by its own norm
    state_dict_cfg='full',
    model_wrapper=dict(
        type='MMFullyShardedDataParallel',
        auto_wrap_policy='mmmammo.transformer_layers',
        use_orig_params=True,  # frozen and trained weights may share a unit
    ),
)
