"""The report's page: one HTML file that needs nothing else, on a screen or on paper."""

from luodi.evaluation.page.render import render

__all__ = ["render"]
