"""Times DataDome's sliceline on the rows that search_bench_test.go wrote.

    python3 slices_bench.py FILE FEATURES

FILE holds one byte a cell, row by row: the features' codes, then the error, 0 or 1.
Prints the CPU seconds of one search (the compiler warmed up before, if numba is
there), the peak memory in MB, and the slices found, best first: "3=0,7=1".
"""

import resource
import sys
import time

import numpy as np
from sliceline.slicefinder import Slicefinder


def search(x, e):
    found = Slicefinder(alpha=0.95, k=10, max_l=2, min_sup=100, verbose=False)
    found.fit(x, e)
    return found


def main():
    file, features = sys.argv[1], int(sys.argv[2])
    cells = np.fromfile(file, dtype=np.uint8).reshape(-1, features + 1)
    x, e = cells[:, :features].astype(np.int64), cells[:, features].astype(np.float64)
    search(x[:2000], e[:2000])
    start = time.process_time()
    found = search(x, e)
    seconds = time.process_time() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    for s in found.top_slices_:
        print(",".join(f"{i}={v}" for i, v in enumerate(s) if v is not None))


main()
