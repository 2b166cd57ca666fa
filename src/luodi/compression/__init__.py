"""From a trained network to the files that are served: export, and proof that both agree."""
