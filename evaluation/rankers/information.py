"""Information gain: how much a feature alone tells about the grade of a candidate, in nats.

I(X; G) = sum over bins x and grades g of p(x, g) ln(p(x, g) / (p(x) p(g)))

X is the feature cut into BINS parts of equal size, and one for "not known"; a constant feature tells 0.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.rankers.examples import Examples, Integers
from search.ranking.features import Floats

BINS = 16


def information(examples: Examples, names: Sequence[str]) -> dict[str, float]:
    """Feature name -> nats; `names` are the columns of `examples`."""
    from sklearn.feature_selection import mutual_info_classif  # seconds to import

    if not len(examples.grades):
        return dict.fromkeys(names, 0.0)
    binned = np.column_stack([in_bins(column) for column in examples.features.T])
    nats = mutual_info_classif(binned, examples.grades, discrete_features=True)
    return {name: float(value) for name, value in zip(names, nats, strict=True)}


def telling(nats: Mapping[str, float], *, most: int, least: float) -> tuple[str, ...]:
    """At most `most` features, those that tell most, none with less than `least` nor 0; in the order of `nats`."""
    best = sorted((name for name in nats if nats[name] >= max(least, _NOTHING)), key=lambda name: -nats[name])[:most]
    return tuple(name for name in nats if name in best)


def in_bins(column: Floats) -> Integers:
    """[R]: the number of each row's bin, 0 where not known. Equal values share a bin."""
    known = ~np.isnan(column)
    edges = np.unique(np.quantile(column[known], np.linspace(0, 1, BINS + 1)[1:-1])) if known.any() else np.zeros(0)
    bins: Integers = np.where(known, 1 + np.searchsorted(edges, column, side="left"), 0).astype(np.int64)
    return bins


_NOTHING = 1e-9  # what rounding leaves of the information of a constant
