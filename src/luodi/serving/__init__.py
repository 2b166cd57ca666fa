"""Bundles answering over HTTP: predictor -> batcher -> router -> http. Loads no torch.

Nothing is imported here: the parts load what they need when a service starts.
"""
