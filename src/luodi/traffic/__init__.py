"""What a service was asked and what it answered, on the disk: written by serving, read by others.

    HOME/traffic/MODEL/
      20261124T091500-4711-0.jsonl      being written: a line a row; at most a second behind
      20261124T081500-4711-0.parquet    a closed segment, compacted by a short process of its own
      feedback-....jsonl                true answers by request id; on the disk before they are
                                        acknowledged

The serving process loads neither Polars nor Arrow: it appends lines. Nothing is imported here.
"""
