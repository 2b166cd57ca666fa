"""Tabular regression: see `task.py`."""

from luodi.tasks.tabular_regression.task import task

__all__ = ["task"]
