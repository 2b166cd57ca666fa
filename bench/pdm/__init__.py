"""Predictive maintenance on held data: `python -m bench.pdm`."""
