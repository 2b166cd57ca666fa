"""Tabular classification: see `task.py`."""

from luodi.tasks.tabular_classification.task import task

__all__ = ["task"]
