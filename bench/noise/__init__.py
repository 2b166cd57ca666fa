"""Planted label flips in real reviews: how many are estimated, how many are found."""
