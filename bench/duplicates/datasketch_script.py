"""datasketch's MinHashLSH on the lines of a file: the same shingles, permutations and threshold.

Runs in the peers' environment. Two processes, each half of the signatures, as two threads would be
of no use to it; candidates are joined as they come, not verified (ours are).
"""

import json
import resource
import sys
import time
import unicodedata
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from datasketch import MinHash, MinHashLSH

WIDE = (
    (0x1100, 0x11FF),
    (0x3040, 0x30FF),
    (0x3130, 0x318F),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
PERMUTATIONS, SCHEME = 84, "affine32"  # the quickest that datasketch has


def shingles(text):
    text = unicodedata.normalize("NFKC", text).casefold()
    signs = [s for s in text if unicodedata.category(s)[0] not in "PZC"] or list(text)
    found = set()
    for place, sign in enumerate(signs):
        span = 2 if any(low <= ord(sign) <= high for low, high in WIDE) else 4
        if place + span <= len(signs):
            found.add("".join(signs[place : place + span]).encode())
    return found or {"".join(signs).encode()}


def signatures(texts):
    return [
        m.hashvalues
        for m in MinHash.generator(
            [shingles(t) for t in texts], num_perm=PERMUTATIONS, seed=1, scheme=SCHEME
        )
    ]


def main():
    texts = Path(sys.argv[1]).read_text("utf-8").split("\n")
    threshold, processes = float(sys.argv[3]), int(sys.argv[4])
    began = time.perf_counter()
    step = 5000
    parts = [texts[at : at + step] for at in range(0, len(texts), step)]
    with Pool(processes) as pool:
        made = [values for part in pool.map(signatures, parts, chunksize=1) for values in part]
    signed = time.perf_counter()
    lsh = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, params=(14, 6))
    root = list(range(len(texts)))

    def find(node):
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for place, values in enumerate(made):
        minhash = MinHash(num_perm=PERMUTATIONS, seed=1, hashvalues=values, scheme=SCHEME)
        for other in lsh.query(minhash):
            one, two = find(place), find(other)
            if one != two:
                root[max(one, two)] = min(one, two)
        lsh.insert(place, minhash)
    groups = np.array([find(place) for place in range(len(texts))])
    ended = time.perf_counter()
    np.save(sys.argv[2], groups)
    print(
        json.dumps(
            {
                "seconds": ended - began,
                "signatures": signed - began,
                "texts": len(texts),
                "groups": len(np.unique(groups)),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
