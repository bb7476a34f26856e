"""A small shop whose words are known, and an encoder that knows some senses of words."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from catalog.products import Product, Term
from search.understanding.learning import learn_vocabulary
from search.understanding.reader import Reader
from search.understanding.vocabulary import Vocabulary
from tests.search.worlds import Floats, WordEncoder, embeddings_of

ZH = {
    ("category", "Sweaters"): "毛衣", ("category", "Shirts"): "衬衫", ("category", "Sports Shoes"): "运动鞋",
    ("category", "Dresses"): "连衣裙", ("category", "Handbags"): "手提包", ("colour", "Black"): "黑色",
    ("colour", "Red"): "红色", ("colour", "Navy Blue"): "藏青色", ("gender", "Men"): "男士",
    ("gender", "Women"): "女士",
}  # fmt: skip
TERMS = [Term(field, value, "zh", name) for (field, value), name in ZH.items()]

# Words that no table has, as the words that they mean.
SENSES = {"羊驼衫": "毛衣", "球靴": "运动鞋", "clobber": "dresses", "noir": "black", "篮球鞋": "运动鞋"}


class SenseEncoder(WordEncoder):
    """Sees the meaning of a word of SENSES, and a name the same in either language, with a little of the word."""

    fingerprint = "s" * 16

    def encode_text(self, texts: Sequence[str]) -> Floats:
        own = super().encode_text(texts)
        meant = super().encode_text([_meaning(text) for text in texts])
        mixed = 0.97 * meant + 0.1 * own
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


def _meaning(text: str) -> str:
    word = SENSES.get(text.lower(), text)
    english = {name: value for (_, value), name in ZH.items()}
    return english.get(word, word)


def shop(priced: bool = True) -> list[Product]:
    """Ten kinds of goods in three colours for two genders; a tenth has no attributes at all."""
    products = []
    goods = [("Apparel", "Sweaters"), ("Apparel", "Shirts"), ("Footwear", "Sports Shoes"), ("Apparel", "Dresses"),
             ("Bags", "Handbags")]  # fmt: skip
    for number in range(60):
        path = goods[number % 5]
        colour = ("Black", "Red", "Navy Blue")[number // 5 % 3]
        gender = ("Men", "Women")[number // 15 % 2]
        title = f"Acme {gender} {colour} {path[1]} {number}"
        product = Product(
            f"p{number:03}", f"g{number}", title, category=path, attributes={"colour": colour, "gender": gender},
            price=10.0 * number if priced else None, currency="EUR" if priced else None, images=(title,),
        )  # fmt: skip
        products.append(product if number % 10 else replace(product, attributes={}, category=()))
    return products


@cache
def vocabulary_of(priced: bool = True) -> Vocabulary:
    """What the tune stage would learn of the shop."""
    encoder = SenseEncoder()
    return learn_vocabulary(shop(priced), TERMS, embeddings_of(shop(priced), encoder), encoder)


@cache
def reader_of(priced: bool = True) -> Reader:
    """A reader of the shop."""
    return Reader(vocabulary_of(priced), SenseEncoder().encode_text)


def read(query: str) -> dict[str, str]:
    """What each mention of the query means most, with "-" before what is not wanted."""
    understood = reader_of().read(query)
    return {m.text: ("-" if m.negated else "") + m.meanings[0].value for m in understood.mentions}
