"""The kinds of question, a folder each; see `luodi.project.catalogue` for how they are found."""

from luodi.project.catalogue import find_task, task_names

__all__ = ["find_task", "task_names"]
