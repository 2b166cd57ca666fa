"""Side-by-side benchmarks against peers: one command each, results kept in `bench/results`."""
