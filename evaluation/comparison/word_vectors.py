"""A file of word vectors for the row that reads one, since none can be fetched: static vectors of a sentence encoder.

    python -m evaluation.comparison.word_vectors FILE      (in a workspace)

Every word of the snapshot and the thesaurus goes through the packaged sentence encoder alone, and its vector into a
file in GloVe's form. How a sentence encoder becomes word vectors is Model2Vec's way (Tulkens and van Dongen, 2024),
without its reduction and weights: those are the tower's.
"""

import models.openmp  # noqa: F401 - before torch

# isort: split
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

from catalog.products import Product, Term
from catalog.tables import read_products, read_terms
from catalog.words.text import product_text
from catalog.words.thesaurus import ROLES, thesaurus
from catalog.words.tokens import tokenize
from models.dual_encoder import DualEncoder
from models.params import ModelParams

_AT_ONCE = 256


def main(path: Path) -> None:
    """Write the file; whole or not at all."""
    words = words_of(read_products(), read_terms())
    text = DualEncoder.build(ModelParams()).text
    part = path.with_name(path.name + ".part")
    with torch.inference_mode(), part.open("w", encoding="utf-8") as stream:
        for start in range(0, len(words), _AT_ONCE):
            own = words[start : start + _AT_ONCE]
            for word, vector in zip(own, text.backbone(text.tokenize(own)).tolist(), strict=True):
                stream.write(f"{word} {' '.join(f'{number:.5g}' for number in vector)}\n")
    part.rename(path)


def words_of(products: Iterable[Product], terms: Iterable[Term]) -> list[str]:
    """Every word of these and of the thesaurus, once, shorter ones first."""
    texts = [product_text(product) for product in products]
    texts += [part for term in terms for part in (term.term, term.value)]
    texts += thesaurus().all_words(set(ROLES.values()))
    return sorted({word for text in texts for word in tokenize(text)}, key=lambda word: (len(word), word))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
