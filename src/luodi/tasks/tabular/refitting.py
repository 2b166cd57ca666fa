"""Learning once more from all rows, when few were held back to choose by.

What is learnt on top of a model (its calibration, its threshold) must come from rows that it has
not seen, and then there are none left: so each row is asked about while it is held out of a model
of the same making (cross-fitting; scikit-learn's `CalibratedClassifierCV(ensemble=False)` does the
same). Those models learn from a fifth fewer rows than the one that serves: what they show is, if
anything, a little too modest.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from luodi.contracts import Dataset, FitSettings, Progress, Quiet
from luodi.tasks.parts import together
from luodi.tasks.tabular.calibrating import Judged
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.fitting import (
    Fitting,
    Sample,
    TabularFitted,
    TabularLearner,
    background_of,
    classified,
    prepared,
)
from luodi.tasks.tabular.folds import FEW, FOLDS, deal
from luodi.tasks.tabular.target import Classes, clusters_of, target_of

_LEAST = 2 * FOLDS
"""Independent rows of each label that are there at least: every fold is to know each of them."""


class RefittingLearner(TabularLearner):
    """A learner that needs no rows held back: what it chooses, it chooses inside its own."""

    refit_rows: int = FEW
    refit_fits: float = 10.0

    def refits(self, train: Dataset, valid: Dataset, settings: FitSettings) -> bool:
        """For labels, each with enough independent rows. The interval of a number promises what it
        does because its rows took no part in anything else: those are left alone.
        """
        target = target_of(settings.schema)
        if not isinstance(target, Classes) or not valid.rows:
            return False
        both = together(train, valid)
        truth, cluster = target.truth(both), clusters_of(both)
        return (
            all(
                len(np.unique(cluster[truth == label])) >= _LEAST
                for label in range(len(target.labels))
                if (truth == label).any()
            )
            and len(np.unique(truth)) > 1
        )

    def refit(
        self,
        train: Dataset,
        valid: Dataset,
        settings: FitSettings,
        progress: Progress,
        chosen: Path,
    ) -> TabularFitted:
        """Encode, train on everything, decide by what was said of rows while they were held out;
        nothing is taken from the model that was chosen."""
        target = target_of(settings.schema)
        assert isinstance(target, Classes)  # noqa: S101  # `refits` says so
        learnt, fitting = prepared(self, together(train, valid), settings, progress)
        trained = self.train(learnt, learnt.take(np.arange(0)), fitting)
        scores = trained.held
        if scores is None:
            scores = self._out_of_fold(learnt, len(target.labels), fitting)
        judged = Judged(scores, learnt.truth, learnt.weight, learnt.cluster, refit=True)
        fitted = classified(trained, judged, target, fitting)
        background = background_of(learnt.matrix, fitting.encoder, settings.seed)
        return replace(fitted, background=background)

    def _out_of_fold(self, learnt: Sample, k: int, fitting: Fitting) -> Floats:
        """(n, k) what was said of each row by a model that had not seen it or a copy of it."""
        scores = np.zeros((learnt.rows, k))
        fold = deal(learnt, FOLDS, fitting.settings.seed)
        for number in range(FOLDS):
            seen, unseen = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            folder = fitting.settings.folder / f"fold-{number}"
            folder.mkdir(parents=True, exist_ok=True)
            inner = replace(
                fitting, settings=replace(fitting.settings, folder=folder), progress=Quiet()
            )
            part = self.train(learnt.take(seen), learnt.take(np.arange(0)), inner)
            scores[unseen] = part.scorer.score(learnt.matrix[unseen]).reshape(-1, k)
        return scores
