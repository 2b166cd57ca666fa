"""The whole trip: `run.py` is the page to read first."""
