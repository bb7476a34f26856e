"""The encoder reads words and labels of a product, or words alone; the lexical leg reads labels in every language."""

from catalog.products import Product, Term
from catalog.words.terms import TermIndex
from catalog.words.text import lexical_text, product_text, tokenize

DRESS = Product(
    "1",
    "g",
    "Summer dress",
    description="Light and long.",
    brand="Acme",
    category=("Clothing", "Dresses"),
    attributes={"colour": "Red"},
)
TERMS = TermIndex([Term("colour", "Red", "zh", "红色"), Term("category", "Dresses", "zh", "连衣裙")])


def test_the_encoder_sees_title_brand_and_description_and_what_the_shop_knows() -> None:
    assert product_text(DRESS) == "Summer dress. Acme. Light and long. Red Dresses"


def test_labels_can_be_left_out() -> None:
    assert product_text(DRESS, attributes=False) == "Summer dress. Acme. Light and long"


def test_a_brand_that_the_title_says_is_not_said_twice() -> None:
    assert product_text(Product("1", "g", "ACME summer dress", brand="Acme")) == "ACME summer dress"


def test_a_product_without_words_has_empty_text() -> None:
    assert product_text(Product("1", "g", "", images=("m",))) == ""


def test_the_lexical_text_finds_labels_in_both_languages() -> None:
    tokens = tokenize(lexical_text(DRESS, TERMS))
    assert {"summer", "acme", "clothing", "dress", "red", "红色", "连衣裙"} <= set(tokens)


def test_the_lexical_text_of_a_shop_without_terms_is_in_its_own_language() -> None:
    assert lexical_text(DRESS, TermIndex([])) == "Summer dress. Acme. Light and long Clothing Dresses Red"
