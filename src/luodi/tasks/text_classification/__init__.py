"""Text classification: reviews, questions, tickets."""

from luodi.tasks.text_classification.task import TextClassification, task

__all__ = ["TextClassification", "task"]
