"""How many planted wrong categories does the stage misfiled find, and how many of those it names were planted?

    python -m benchmarks.misfiled [--share 0.02] [--seeds 5]

From the root of a workspace with embeddings. So many products get a category drawn from the others; the vectors stay
as they are. What was filed wrongly before counts as wrongly found, so precision is a lower bound. Beside it the peer:
naming as many as were planted, of whose neighbours the fewest share their category.
"""

import argparse
from statistics import median

import numpy as np

from catalog.params import load_section
from catalog.tables import read_products
from evaluation.audits.misfiled import file_anew, path
from evaluation.audits.suspects import nearest, suspects
from evaluation.params import MisfiledParams
from models.embeddings import load_embeddings


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Planted wrong categories.")
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    params, embeddings = load_section("misfiled", MisfiledParams), load_embeddings()
    judged = file_anew(read_products(), embeddings, params).judged
    at = {product_id: row for row, product_id in enumerate(embeddings.ids)}
    vectors = embeddings.image[np.array([at[product.id] for product in judged])]
    groups, true = [product.group_id for product in judged], np.array([path(product) for product in judged])
    names, near = np.unique(true), nearest(vectors, groups, params.neighbours)
    rows = []
    for seed in range(options.seeds):
        rng = np.random.default_rng(seed)
        planted = rng.choice(len(judged), int(options.share * len(judged)), replace=False)
        filed = true.copy()
        for row in planted:
            filed[row] = rng.choice(names[names != true[row]])
        found = np.array([each.row for each in suspects(vectors, filed.tolist(), groups, params.neighbours, 1)])
        labels = np.searchsorted(names, filed)
        own = near.shares(labels, len(names))[np.arange(len(labels)), labels]
        fewest = np.argsort(own, kind="stable")[: len(planted)]
        right = np.isin(found, planted)
        rows.append(
            (
                right.sum() / len(planted),
                right.mean(),
                right[: len(planted)].mean(),
                np.isin(fewest, planted).mean(),
                len(found),
            )
        )
    names_of = ("found of the planted", "planted of the found", "planted of the first", "peer: of the first", "found")
    print(f"{len(judged)} products, {len(names)} categories, {int(options.share * len(judged))} planted")
    for name, values in zip(names_of, zip(*rows, strict=True), strict=True):
        print(f"| {name} | {median(values):.3g} | {min(values):.3g} to {max(values):.3g} |")


if __name__ == "__main__":
    main()
