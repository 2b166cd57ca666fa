"""What may be wrong with a table, a file a topic: each fact with a count, examples, the remedy.

    noticed = survey(table, roles)          survey.py    every topic, the worst first
    skewed = skew(training, serving)        skew.py      two tables that should be alike
    bad = worst_rows(table, noticed)        worst.py     the rows with the most against them

A topic's finding concerns as many columns as it must: one finding a topic, a record a column, so
that thirty columns do not drown the reader. `error` is left to what a run cannot live with.
Single columns that give the answer away are `luodi.data.leaks`.
"""
