"""What calibrating and choosing a threshold on few rows is worth on fresh ones."""
