"""Serving one classifier: `luodi serve` beside LitServe, BentoML, MLflow, Ray Serve and FastAPI.

    python -m bench.serving                      the full form: about half an hour
    python -m bench.serving --only luodi,fastapi --window 4        some of it, quickly

All answer the same texts, short questions and long reviews mixed, with the same exported MiniLM on
the same cores, one after the other. Load is open loop: requests leave when they are due, answered
or not, and a latency counts from when the request was due. See contestants.py for who is measured
and with which settings, measure.py for what is asked of each.
"""
