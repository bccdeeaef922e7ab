def predict(row):
    p = min(max(row["x"], 0.0), 1.0)
    return [1.0 - p, p]
