"""Times the work of BenchmarkPeers with scikit-learn, scipy and numpy on one thread.

usage: peers.py FOLDER

FOLDER holds the columns of one million rows as little-endian binary: y.i32,
ha.i32, hb.i32, slice.i32, a.f64, b.f64. Prints a line for each task: its name,
the CPU seconds that it took, and the value that it found. Work that would take
minutes is done a few times and multiplied, and says so.
"""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import sys
import time

import numpy as np
import scipy
import sklearn
from scipy.stats import norm, rankdata
from sklearn import metrics


def column(name, kind):
    return np.fromfile(os.path.join(sys.argv[1], name), dtype=kind)


y, ha, hb, slices = (column(n + ".i32", "<i4") for n in ("y", "ha", "hb", "slice"))
a, b = column("a.f64", "<f8"), column("b.f64", "<f8")
n = len(y)


def ece(p, bins=15):
    at = np.digitize(p, np.linspace(0, 1, bins + 1)[1:])
    gap = np.bincount(at, p, bins + 1) - np.bincount(at, y, bins + 1)
    return np.abs(gap).sum() / n


def eight():
    metrics.confusion_matrix(y, ha)
    metrics.accuracy_score(y, ha)
    metrics.f1_score(y, ha)
    metrics.roc_auc_score(y, a)
    metrics.average_precision_score(y, a)
    metrics.log_loss(y, a)
    metrics.brier_score_loss(y, a)
    return ece(a)


def paired_cells():
    metrics.confusion_matrix(y == ha, y == hb)
    return ((y == hb).sum() - (y == ha).sum()) / n


def delong():
    pos, neg = y == 1, y == 0
    P, N = pos.sum(), neg.sum()
    v10, v01 = [], []
    for s in (a, b):
        ranks = rankdata(s)
        v10.append((ranks[pos] - rankdata(s[pos])) / N)
        v01.append(1 - (ranks[neg] - rankdata(s[neg])) / P)
    s = np.cov(v10) / P + np.cov(v01) / N
    change = v10[1].mean() - v10[0].mean()
    half = norm.ppf(.975) * np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    return change, change - half, change + half


def resample(statistic, times):
    rng = np.random.default_rng(1)
    for _ in range(times):
        at = rng.integers(0, n, n)
        statistic(at)
    return 1000 / times


def accuracy_change(at):
    return (y[at] == hb[at]).mean() - (y[at] == ha[at]).mean()


def f1(t, h):
    return 2 * np.count_nonzero(t & h) / (np.count_nonzero(t) + np.count_nonzero(h))


truth, said_a, said_b = y == 1, ha == 1, hb == 1


def f1_change(at):
    t = truth[at]
    return f1(t, said_b[at]) - f1(t, said_a[at])


def auc_change(at):
    return metrics.roc_auc_score(y[at], b[at]) - metrics.roc_auc_score(y[at], a[at])


def auc_slices():
    order = np.argsort(slices, kind="stable")
    edges = np.searchsorted(slices[order], np.arange(101))
    return np.mean([metrics.roc_auc_score(y[order[i:j]], a[order[i:j]]) for i, j in zip(edges, edges[1:])])


def regression():
    return [
        metrics.mean_absolute_error(a, b), metrics.mean_squared_error(a, b), metrics.mean_squared_error(a, b) ** .5,
        metrics.mean_absolute_percentage_error(a, b), metrics.mean_squared_log_error(a, b), metrics.mean_pinball_loss(a, b, alpha=.2),
        metrics.max_error(a, b), metrics.r2_score(a, b), metrics.explained_variance_score(a, b),
    ]


def timed(name, work, times=1):
    before = time.process_time()
    value = work()
    took = time.process_time() - before
    print(name, took * times, value if times == 1 else "measured %gth part" % times, flush=True)


print("# scikit-learn", sklearn.__version__, "scipy", scipy.__version__, "numpy", np.__version__)
metrics.roc_auc_score(y[:1000], a[:1000])  # what is loaded late is loaded now
timed("confusion", lambda: metrics.confusion_matrix(y, ha).ravel().tolist())
timed("cells", paired_cells)
timed("eight", eight)
timed("auc_ap_ks", lambda: (metrics.roc_auc_score(y, a), metrics.average_precision_score(y, a)))
timed("log_loss", lambda: metrics.log_loss(y, a))
timed("brier", lambda: metrics.brier_score_loss(y, a))
timed("ece", lambda: ece(a))
timed("bootstrap_accuracy", lambda: resample(accuracy_change, 10), 100)
timed("bootstrap_f1", lambda: resample(f1_change, 10), 100)
timed("auc_difference", delong)
timed("auc_bootstrap", lambda: resample(auc_change, 2), 500)
timed("auc_slices", auc_slices)
timed("regression", regression)
timed("mae", lambda: metrics.mean_absolute_error(a, b))
timed("r2", lambda: metrics.r2_score(a, b))
