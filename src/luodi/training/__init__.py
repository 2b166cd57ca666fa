"""How models learn: bases to start from, batches, schedules, the torch loop, checkpoints."""
