from proctor_kit import wrap


class Model:
    """Stands for yours: anything with predict_proba, such as a fitted scikit-learn model.
    It answers from the first column that holds numbers."""

    def predict_proba(self, rows):
        first = [next((v for v in row if isinstance(v, float)), 0.0) for row in rows]
        yes = [0.5 + 0.5 * v / (1 + abs(v)) for v in first]
        return [[1 - p, p] for p in yes]


wrap(Model())
