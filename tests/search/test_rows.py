"""Rows: what is taken from products and embeddings, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import NotReady
from catalog.products import Product
from search.filters import FilterFields
from search.rows import MOST_DESCRIPTION, MOST_WORD_BYTES, build_rows
from tests.search.worlds import TERMS, catalogue, embeddings_of, rows_of


def test_rows_are_sorted_by_id_and_the_vectors_follow():
    products, embeddings = catalogue(), embeddings_of(catalogue())
    rows = build_rows(reversed(products), embeddings, TERMS)
    assert list(rows.ids) == sorted(product.id for product in products)
    at = list(embeddings.ids).index("s2")
    assert np.array_equal(rows.vectors["text"][rows.position["s2"]], embeddings.text[at])


def test_a_part_of_the_catalogue_takes_its_part_of_the_embeddings():
    rows = build_rows(catalogue()[:2], embeddings_of(catalogue()), TERMS)
    assert rows.ids == ("d1", "d2") and rows.vectors["fused"].shape[0] == 2


def test_what_a_product_lacks_is_marked_and_zero():
    rows = rows_of()
    plain, pictured = rows.position["n1"], rows.position["p1"]
    assert not rows.present["image"][plain] and not rows.vectors["image"][plain].any()
    assert not rows.present["text"][pictured] and rows.present["fused"][pictured]
    assert rows.words[pictured] == ""


def test_every_attribute_is_a_filter_and_so_are_brand_and_category():
    assert rows_of().fields == FilterFields(facets=("brand", "category", "colour", "currency", "fabric", "language"))


def test_a_product_without_an_embedding_is_refused_by_name():
    with pytest.raises(NotReady, match=r"1 products have no embedding \(the first is 'new'\)"):
        build_rows([*catalogue(), Product("new", "new", "New")], embeddings_of(catalogue()), TERMS)


def test_the_same_id_twice_is_refused():
    with pytest.raises(NotReady, match="same id"):
        build_rows([*catalogue(), catalogue()[0]], embeddings_of(catalogue()), TERMS)


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, 0.0, 7.0])
def test_vectors_without_unit_length_are_refused(spoilt: float):
    embeddings = embeddings_of(catalogue())
    text = embeddings.text.copy()
    text[0] = spoilt
    with pytest.raises(NotReady, match="1 text vectors do not have length 1"):
        build_rows(catalogue(), replace(embeddings, text=text), TERMS)


def test_what_lies_in_a_missing_row_does_not_matter():
    embeddings = embeddings_of(catalogue())
    image = np.where(embeddings.has_image[:, None], embeddings.image, np.float32(np.nan))
    assert build_rows(catalogue(), replace(embeddings, image=image), TERMS).digest == rows_of().digest


def test_the_digest_names_the_content():
    changed = [replace(product, price=31.0) if product.id == "d1" else product for product in catalogue()]
    assert rows_of().digest == rows_of(list(reversed(catalogue()))).digest
    assert rows_of(changed).digest != rows_of().digest


def test_very_long_texts_are_cut_between_words():
    rows = rows_of([Product("l", "l", "word " * 50_000, "x" * 10_000)])
    assert len(rows.words[0]) <= MOST_WORD_BYTES and set(rows.words[0].split()) == {"word"}
    assert len(rows.payloads[0]["description"]) == MOST_DESCRIPTION
