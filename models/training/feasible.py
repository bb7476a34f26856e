"""Can this configuration learn anything from this snapshot? Asked before anything is computed.

    check_feasible(Attempt(model, params, products, queries))

A check answers with one sentence that says what is missing and what to change, or with None. A new one is a function,
named in CHECKS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.errors import InvalidParams
from catalog.products import Product
from catalog.words.text import product_text
from models.params import NOTHING_TO_LEARN, ModelParams
from models.presets import sources_of
from models.training.attributes import facet_values
from models.training.params import TrainParams
from models.training.shop_queries import ShopQueries


@dataclass(frozen=True)
class Attempt:
    """What is about to be trained, on which training products, with which queries of the shop."""

    model: ModelParams
    params: TrainParams
    products: Sequence[Product]
    queries: ShopQueries

    def having(self, *needs: str) -> int:
        """How many training products have all of these: "title", "words", "facets", "pictures"."""
        has: dict[str, Callable[[Product], object]] = {
            "title": lambda product: product.title.strip(),
            "words": product_text,
            "facets": lambda product: product.facets(),
            "pictures": lambda product: product.images,
        }
        return sum(all(has[need](product) for need in needs) for product in self.products)


def check_feasible(attempt: Attempt) -> None:
    """Raise InvalidParams with the first check's sentence."""
    for check in CHECKS:
        reason = check(attempt)
        if reason is not None:
            raise InvalidParams(reason)


def _pairs(attempt: Attempt) -> str | None:
    params, weights = attempt.params, attempt.params.weights
    pictures = attempt.having("pictures") > 1
    phrases = params.phrases > 0 and attempt.having("facets") > 0
    queries = bool(attempt.queries.texts)
    pairs = {
        "title_image": attempt.having("title", "pictures") > 1,
        "phrase_image": phrases and pictures,
        "title_product": attempt.having("title") > 1,
        "phrase_product": phrases,
        "query_image": queries and pictures,
        "query_product": queries,
        "photo_photo": pictures,
    }
    if any(there and getattr(weights, name) for name, there in pairs.items()):
        return None
    there = [name for name, is_there in pairs.items() if is_there]
    return f"Every pair with a weight in train.weights is empty; this snapshot can give {', '.join(there) or 'none'}."


def _queries(attempt: Attempt) -> str | None:
    for source in attempt.params.queries:
        if not attempt.queries.known[source]:
            return (
                f"train.queries asks for {source}, but the snapshot has none that favour a training product: ingest "
                "them, or take the name out."
            )
    return None


def _grades(attempt: Attempt) -> str | None:
    said = attempt.params.phrases and attempt.having("facets")
    if not attempt.params.graded or said or attempt.queries.texts:
        return None
    return "train.graded needs phrases about facets, or train.queries: no training product has either."


def _attributes(attempt: Attempt) -> str | None:
    params = attempt.params
    if not params.attribute_weight or facet_values(attempt.products, params.attribute_support):
        return None
    return (
        "train.attribute_weight asks for attribute heads, but no facet has two values with "
        f"{params.attribute_support} training products each (train.attribute_support)."
    )


def _consistency(attempt: Attempt) -> str | None:
    if not attempt.params.consistency or attempt.having("words", "pictures") > 1:
        return None
    return "train.consistency compares words with pictures, but fewer than two training products have both."


def _views(attempt: Attempt) -> str | None:
    model, params = attempt.model, attempt.params
    pictures = attempt.having("pictures") > 1
    if params.weights.photo_photo and not pictures:
        return "train.weights.photo_photo needs pictures, and fewer than two training products have one."
    if not pictures or not (params.weights.photo_photo or params.warmup_epochs):
        return None
    shared = sources_of(model).shared_space  # such a head has no dropout
    differ = params.views > 1 or params.photo_noise > 0 or model.image in ("finetuned", "lora")
    if differ or not (shared or (model.dropout == 0 and model.head == "linear")):
        return None
    return "Two views of a picture would be one and the same: raise train.views or train.photo_noise."


def _balance(attempt: Attempt) -> str | None:
    if not attempt.params.balance or len({product.category[-1:] for product in attempt.products}) > 1:
        return None
    return "train.balance is between categories, but all training products are of one."


def _fusion(attempt: Attempt) -> str | None:
    name = attempt.model.fusion
    if name in NOTHING_TO_LEARN or attempt.having("words", "pictures"):
        return None
    return (
        f"model.fusion: {name} has nothing to learn from, for no training product has both words and a picture: "
        "use mean."
    )


def _mining(attempt: Attempt) -> str | None:
    params = attempt.params
    if not params.hard_negatives or params.mine_every < params.epochs:
        return None
    return (
        f"train.hard_negatives are never mined: train.mine_every is {params.mine_every} and there are only "
        f"{params.epochs} epochs."
    )


CHECKS: Sequence[Callable[[Attempt], str | None]] = (
    _queries,
    _pairs,
    _grades,
    _attributes,
    _consistency,
    _views,
    _balance,
    _fusion,
    _mining,
)
