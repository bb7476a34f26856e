"""The columns of WooCommerce's export by their English names, whatever language the shop's pages are in."""

import re
from pathlib import Path

import yaml

SIGNATURES = (
    ("Type", "SKU", "Name", "Regular price"),
    ("Type", "Name", "Parent", "Categories"),
    ("SKU", "Name", "Attribute 1 name"),
)

INHERITED = ("Description", "Short description", "Categories", "Images", "Brands", "Published", "Visibility in catalog")
"""What a variation takes from its parent where it says nothing itself."""

_NAMES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("woocommerce_columns.yaml").read_text(encoding="utf-8")
)
_NUMBER = re.compile(r"\d+")


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


_ENGLISH = {
    _folded(name.replace("{n}", "0")): english for english, names in _NAMES.items() for name in (english, *names)
}


def in_english(column: str) -> str:
    """ "Regulärer Preis" -> "Regular price", "属性 2 值" -> "Attribute 2 value(s)"; any other name stays as it is."""
    number = _NUMBER.search(column)
    english = _ENGLISH.get(_NUMBER.sub("0", _folded(column), count=1))
    return column if english is None else english.replace("{n}", number[0] if number else "")
