"""Train LambdaMART with LightGBM: each pair's push is what swapping it would change in nDCG.

Gains are 2^grade - 1, as evaluation.metrics counts them.
"""

import numpy as np

from evaluation.rankers.examples import Examples
from evaluation.rankers.params import RankParams
from search.ranking.lambdamart import LambdaMart

_HIGHEST = 30  # grade that LightGBM's table of gains knows


def train_lambdamart(examples: Examples, features: tuple[str, ...], params: RankParams) -> LambdaMart:
    """The same examples and params give the same trees, on any number of cores."""
    import lightgbm  # seconds to import

    own = params.lambdamart
    data = lightgbm.Dataset(
        examples.features,
        label=np.minimum(examples.grades, _HIGHEST),
        group=examples.sizes,
        weight=np.repeat(examples.weights, examples.sizes),
        feature_name=list(features),
    )
    settings = {
        "objective": "lambdarank",
        "num_leaves": own.leaves,
        "learning_rate": own.learning_rate,
        "min_data_in_leaf": own.rows,
        "feature_fraction": 0.8,
        "lambda_l2": 1.0,
        "seed": params.seed,
        "deterministic": True,
        "force_row_wise": True,
        "max_bin": 63,
        "verbosity": -1,
    }
    trees = lightgbm.train(settings, data, num_boost_round=own.trees)
    return LambdaMart(trees.model_to_string(), features)
