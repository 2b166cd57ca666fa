"""cleanlab on given probabilities: how many labels it takes for wrong, which, in what order.

Runs in the peers' environment. By its defaults, and by each of its own ways to choose rows.
"""

import json
import sys
import time

import numpy as np
from cleanlab.count import estimate_joint, num_label_issues
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

WAYS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning")
SCORES = ("self_confidence", "normalized_margin")


def main():
    given = np.load(sys.argv[1])
    labels, chance = given["labels"], given["chance"]
    chance = chance / chance.sum(axis=1, keepdims=True)
    began = time.perf_counter()
    found = {
        "estimate_joint": 1 - float(np.trace(estimate_joint(labels, chance))),
        "estimate_count": num_label_issues(labels, chance) / len(labels),
        "rows": {
            way: find_label_issues(
                labels, chance, filter_by=way, return_indices_ranked_by="self_confidence", n_jobs=1
            ).tolist()
            for way in WAYS
        },
        "scores": {
            way: get_label_quality_scores(labels, chance, method=way).tolist() for way in SCORES
        },
    }
    print(json.dumps(found | {"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
