"""Serving a boosting bundle, one row a request: `luodi serve` beside MLflow and BentoML.

    python -m bench.serving.rows                                       about eight minutes
    python -m bench.serving.rows --only luodi,mlflow --window 4        some of it, quickly

All answer the same rows (thirty numbers each, of the table that ships with scikit-learn) by the
same trees of LightGBM. The peers are spared everything but the trees: they get bare numbers in the
columns' order, and answer with one number; ours gets named fields, checks them, and answers with a
label and calibrated probabilities. Load and measures are those of `bench.serving`.
"""
