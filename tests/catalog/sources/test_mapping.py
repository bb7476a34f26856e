"""A mapping file says what is wrong with it in one sentence that lists what would be right."""

from pathlib import Path

import pytest

from catalog.errors import InvalidParams, InvalidSource
from catalog.sources.mapping import BUILT_IN, load_mapping

GOOD = "products: p.csv\ncolumns: {id: sku, title: name}\n"


def mapping(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_small_mapping_is_enough(tmp_path: Path) -> None:
    found = load_mapping(mapping(tmp_path, GOOD))
    assert found.all_columns() == {"sku": "columns.id", "name": "columns.title"}
    assert found.encoding == "utf-8-sig"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD + "colums: {}", "unknown key 'colums'; known keys here are: products, encoding"),
        ("products: p\ncolumns: {id: a, titel: b}", "unknown key 'columns.titel'; known keys here are: id, title"),
        (GOOD + "terms: {file: t, language: zh, names: x}", "unknown key 'terms.names'; known keys here are: file"),
        (GOOD + "defaults: {price: 1}", "unknown key 'defaults.price'; known keys here are: language, currency"),
        ("products: p.csv", "columns: Field required"),
        (GOOD + "encoding: klingon", "'klingon' is no text encoding"),
        (GOOD + "attributes: {Base Colour: c}", "'Base Colour' is not lower-case letters"),
        (GOOD + "attributes: {price: c}", "'price' is a field of every product"),
        (GOOD + "attributes: {category: c}", "'category' is a field of every product"),
        (GOOD + "terms: {file: t.csv}", "either language"),
        (GOOD + "list_separator: ''", "at least one character"),
        ("[1, 2]", "is not a mapping file"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_is_known(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InvalidParams) as refusal:
        load_mapping(mapping(tmp_path, text))
    assert sentence in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_missing_mapping_lists_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidSource, match="fashion_product_images"):
        load_mapping(tmp_path / "none.yaml")
    with pytest.raises(InvalidSource, match="fashion_product_images"):
        load_mapping("none")


def test_every_built_in_mapping_is_valid() -> None:
    names = [path.stem for path in BUILT_IN.glob("*.yaml")]
    assert "fashion_product_images" in names
    for name in names:
        assert load_mapping(name).columns.id


def test_a_single_column_may_stand_without_a_list(tmp_path: Path) -> None:
    found = load_mapping(mapping(tmp_path, "products: p\ncolumns: {id: a, images: photo, category: path}"))
    assert (found.columns.images, found.columns.category) == (("photo",), ("path",))
