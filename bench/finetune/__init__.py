"""Fine-tuning, time to the same test accuracy: `luodi run` beside Transformers Trainer scripts.

    python -m bench.finetune                     the full form: three seeds, hours
    python -m bench.finetune --resume            go on after an interruption
    python -m bench.finetune --rows 300 --seeds 1      the short form: minutes

Who is measured stands in contestants.py, how a time becomes a ratio in arithmetic.py.
Light: the scripts that are measured import this package from an environment of their own.
"""
