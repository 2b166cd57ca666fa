"""Luodi lands a model in a company: from its own table to a gated, served and watched model.

Importing this package loads nothing heavy; each room is imported by its own name.
"""

__version__ = "0.1.0"
