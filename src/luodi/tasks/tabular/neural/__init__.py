"""Networks on tables, in torch: loaded where they are trained, never where they are served."""
