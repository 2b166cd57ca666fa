"""Columns that give the label away: known only once the answer is, or the answer in other words.

    find_leaks(data)      search.py     what every column tells, and what is said of it
    a column as read      suspect.py    by its kind: numbers in quotes are numbers, dates are days
    a column alone        alone.py      the label told from it, each half of the rows by the other
    a part of its rows    sides.py      a flag, a category, missingness that only one label has
    a word of its texts   words.py      that only one label has, or that is the label's name
    a target's range      bands.py      categories that are the target, cut into bands
    columns together      sums.py       a target that is the sum of others

What no honest column can do is an error; what few can is a warning. The bounds, and what they were
measured on, stand in docs/decisions/0007-tables.md.
"""

from luodi.data.leaks.evidence import CODE, Evidence
from luodi.data.leaks.search import evidence, find_leaks

__all__ = ["CODE", "Evidence", "evidence", "find_leaks"]
