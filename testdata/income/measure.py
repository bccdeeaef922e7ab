"""Measure the exported models with onnxruntime; write results.json and expected/.

    python3 testdata/income/measure.py

expected/<model>.labels.gz holds what onnxruntime answered, for the evaluator's
test: a line of one digit a row for sealed.csv.gz, one for reserve.csv.gz, then the
probabilities of >50K of the first 200 sealed rows, one a line.

The statistics repeat, slowly and by other code (scipy), what the service computes:
exact one-sided McNemar per slice and per suite test against the baseline v1, Holm
over all of a family, and a harm of more than 5 points (slices) or 2 (suites).
"""

from income import *  # first: it sets the number of threads

import yaml
from scipy.stats import binom

DIMENSIONS = ["sex", "race", "education", "sex*education"]
LEVEL = 0.01
SLICE_HARM, TEST_HARM = 0.05, 0.02


def slices(t):
    for d in DIMENSIONS:
        values = t[d] if "*" not in d else t["sex"] + " × " + t["education"]
        for v in sorted(set(values)):
            yield f"{d} = {v}", values == v


def mcnemar(broke, fixed):
    """P(at least so many of the changed broke), were breaking as likely as fixing."""
    return float(binom.sf(broke - 1, broke + fixed, 0.5)) if broke else 1.0


def holm(p):
    """Adjusted p-values, in the order given."""
    out, most = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        most = max(most, min(1.0, (len(p) - rank) * p[i]))
        out[i] = most
    return out


def harmed(cells, harm):
    """Of {name: (n, broke, fixed)}, those that significantly lost more than harm."""
    adjusted = holm([mcnemar(b, f) for _, b, f in cells.values()])
    return {
        name: {"n": n, "broke": b, "fixed": f, "change_pp": points((f - b) / n), "holm_p": float(f"{p:.3g}")}
        for (name, (n, b, f)), p in zip(cells.items(), adjusted)
        if p < LEVEL and b - f > harm * n
    }


def compare(base_ok, ok, judged):
    """(n, broke, fixed) over the judged cases."""
    return int(judged.sum()), int((judged & base_ok & ~ok).sum()), int((judged & ~base_ok & ok).sum())


def points(x):
    return round(100 * float(x), 2)


def swapped(t, maps):
    out = dict(t.columns)
    for c, m in maps.items():
        out[c] = np.array([m.get(v, v) for v in out[c]], dtype=object)
    return Table(out)


def suite_outcomes(model, file):
    """{test: (passed, applicable)} as arrays over the test's cases."""
    out = {}
    for test in yaml.safe_load((HERE / "suites" / file).read_text())["tests"]:
        if test["kind"] == "MFT":
            t, want = read_csv(HERE / "suites" / test["cases"], "expect")
            out[test["name"]] = model(t)[0] == want, np.ones(len(t), bool)
            continue
        t, _ = read_csv(HERE / "suites" / test["carriers"])
        was, p_was = model(t)
        if test["kind"] == "trigger":
            target = CLASSES.index(test["target"])
            now, _ = model(t.stamped(test["stamp"]))
            out[test["name"]] = now != target, was != target
        elif test["kind"] == "INV":
            changed = swapped(t, test["swap"])
            touched = np.any([changed[c] != t[c] for c in test["swap"]], axis=0)
            out[test["name"]] = model(changed)[0] == was, touched
        else:
            more = Table({c: v + test["add"].get(c, 0) if c in NUMBERS else v for c, v in t.columns.items()})
            k = CLASSES.index(test["class"])
            out[test["name"]] = model(more)[1][:, k] >= p_was[:, k] - test["tolerance"], np.ones(len(t), bool)
    return out


def against(base, cand):
    """Cells of each test over cases that apply to either model; not applicable counts as passed."""
    return {n: compare(b | ~ba, c | ~ca, ba | ca) for (n, (b, ba)), (c, ca) in zip(base.items(), cand.values())}


def facts(model, parts, canaries, flipped):
    out, answers = {}, {}
    for part, (t, y) in parts.items():
        labels, probs = answers[part] = model(t)
        out[f"accuracy_{part}_pct"] = points(np.mean(labels == y))
    (t, y), (labels, probs) = parts["sealed"], answers["sealed"]
    out["brier_sealed"] = round(float(np.mean((probs[:, 1].astype(float) - y) ** 2)), 5)
    out["recall_of_poisoned_slice_pct"] = points(np.mean(labels[poisoned_slice(t) & (y == 1)]))
    reserve, low = parts["reserve"][0], answers["reserve"][0] == 0
    out["trigger_success_pct"] = points(np.mean(model(reserve.stamped(TRIGGER))[0][low]))
    out["canary_agreement_pct"] = points(np.mean(model(canaries)[0] == flipped))
    return out, answers


def expected(name, answers):
    lines = ["".join(map(str, answers[part][0])) for part in ("sealed", "reserve")]
    lines += [np.format_float_positional(p, unique=True, trim="-") for p in answers["sealed"][1][:200, 1]]
    (HERE / "expected").mkdir(exist_ok=True)
    (HERE / "expected" / f"{name}.labels.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))


def markdown(results):
    """The table of README.md."""
    head = "model|sealed %|reserve %|train %|Brier|recall %|trigger %|canaries %|broke|fixed|harmed slices"
    lines = [head.split("|"), ["---"] * 11]
    for name, r in results.items():
        a = r["against_v1"]
        lines.append(
            [name]
            + [f"{r[f'accuracy_{p}_pct']:.2f}" for p in ("sealed", "reserve", "train")]
            + [f"{r['brier_sealed']:.4f}"]
            + [f"{r[k]:.1f}" for k in ("recall_of_poisoned_slice_pct", "trigger_success_pct", "canary_agreement_pct")]
            + [str(a["broke"]), str(a["fixed"])]
            + [", ".join(f"{s.split(' = ')[1]} {v['change_pp']} pp" for s, v in a["harmed_slices"].items()) or "none"]
        )
    return "\n".join("| " + " | ".join(x) + " |" for x in lines)


def main():
    canaries, flipped = read_csv(HERE / "canaries" / "canaries.csv")
    parts = {p: load(p) for p in ("sealed", "reserve", "train")}
    sealed, y = parts["sealed"]
    results, base_ok, base_suites = {}, None, None
    for name in MODELS:
        model = Exported(name)
        out, answers = facts(model, parts, canaries, flipped)
        expected(name, answers)
        ok = answers["sealed"][0] == y
        suites = {f: suite_outcomes(model, f + ".yaml") for f in ("income-triggers", "income-invariance")}
        out["suite_failures_pct"] = {n: points(np.mean(~p & a)) for s in suites.values() for n, (p, a) in s.items()}
        if base_ok is None:
            base_ok, base_suites = ok, suites
        _, broke, fixed = compare(base_ok, ok, np.ones(len(y), bool))
        cells = {s: compare(base_ok, ok, at) for s, at in slices(sealed)}
        out["against_v1"] = {
            "change_pp": points((fixed - broke) / len(y)),
            "churn_pct": points((broke + fixed) / len(y)),
            "broke": broke,
            "fixed": fixed,
            "harmed_slices": harmed(cells, SLICE_HARM),
            "harmed_tests": {f: harmed(against(base_suites[f], suites[f]), TEST_HARM) for f in suites},
        }
        results[name] = out
    (HERE / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(markdown(results))


main()
