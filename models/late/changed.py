"""Product tokens of a release beside those of the products that were changed since it was made.

The tokens of a release are sealed and stay as they are; what differs lies in a folder of its own, in the same format.
Legend: N products, T tokens of a query, J tokens of a picture, W width.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.late.max_sim import Codes, Floats
from models.late.tokens import Matches, ProductTokens


@dataclass(frozen=True)
class ChangedTokens:
    """`base` of the release, and `changed` of products that have come or look or read otherwise since: theirs count.

    `hidden` have no tokens for now, as nobody knows which of two states of theirs will be shown.
    """

    base: ProductTokens
    changed: ProductTokens | None
    hidden: frozenset[str] = frozenset()

    @property
    def known(self) -> Mapping[str, int]:
        """Word -> row of `words`."""
        return self.base.known

    @property
    def words(self) -> Floats:
        """[V, W] of the release's own vocabulary."""
        return self.base.words

    def scores(self, query: Floats, ids: Sequence[str], seen: Collection[str]) -> dict[str, float]:
        """As ProductTokens.scores."""
        ids = [product_id for product_id in ids if product_id not in self.hidden]
        if self.changed is None:
            return self.base.scores(query, ids, seen)
        later = self.changed.position
        old = [product_id for product_id in ids if product_id not in later]
        new = [product_id for product_id in ids if product_id in later]
        return {**self.base.scores(query, old, seen), **self.changed.scores(query, new, seen)}

    def matches(self, query: Floats, product_id: str, seen: Collection[str]) -> Matches | None:
        """As ProductTokens.matches."""
        if product_id in self.hidden:
            return None
        later = self.changed is not None and product_id in self.changed.position
        own = self.changed if later and self.changed is not None else self.base
        return own.matches(query, product_id, seen)


def tokens_of(
    ids: Sequence[str],
    titles: Sequence[Sequence[str]],
    pictures: Sequence[Codes | None],
    words: Mapping[str, Floats],
    base: ProductTokens,
) -> ProductTokens:
    """Tokens of N products: the words of their `titles`, and int8 [J, W] of each picture in the scale of `base`.

    `words`: each word of a title -> its token [W].
    """
    vocabulary = sorted({word for title in titles for word in title})
    row = {word: number for number, word in enumerate(vocabulary)}
    shown = [codes for codes in pictures if codes is not None]
    has = np.array([codes is not None for codes in pictures], dtype=bool)
    places = np.stack(shown) if shown else np.zeros((0, *base.places.shape[1:]), dtype=np.int8)
    width = base.words.shape[1]
    return ProductTokens(
        ids=list(ids),
        pictures=np.where(has, np.cumsum(has) - 1, -1).astype(np.int64),
        counts=np.array([len(title) for title in titles], dtype=np.int64),
        places=places,
        scale=base.scale,
        vocabulary=vocabulary,
        words=np.stack([words[word] for word in vocabulary]) if vocabulary else np.zeros((0, width), np.float32),
        titles=np.array([row[word] for title in titles for word in title], dtype=np.int32),
    )
