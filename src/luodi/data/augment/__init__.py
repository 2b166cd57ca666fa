"""Rows made from rows, for the training part alone.

    texts.py      synonyms, deletion, swap, insertion, keyboard noise, back-translation
    images.py     flip, rotate, crop, scale, colour
    oversample.py rows between rows of a rare class (SMOTE)
    ctgan.py      rows of a generative adversarial network
    distance.py   how near to real rows made ones lie
    rows.py       what a project asks for, done to a training part

Whether it helped is measured, not assumed: `lifecycle/augmenting.py` trains with and without.
"""
