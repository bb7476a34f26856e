"""Text of a product: what the encoder sees, and what the lexical leg sees."""

from catalog.products import CATEGORY, Product
from catalog.words.terms import TermIndex
from catalog.words.tokens import TextLanguage, language_of, normalise, tokenize

__all__ = ["TextLanguage", "language_of", "lexical_text", "normalise", "product_text", "tokenize"]


def product_text(product: Product, *, attributes: bool = True) -> str:
    """What the text tower reads of a product: title, brand where the title does not say it, description; then what the
    shop knows of it, the category leaf and the attribute values, unless `attributes` is False.
    """
    parts = [product.title.strip()]
    if product.brand and normalise(product.brand) not in normalise(product.title):
        parts.append(product.brand.strip())
    parts.append(product.description.strip())
    if attributes:
        parts.append(" ".join(product.facets().values()))
    return ". ".join(part.rstrip(".") for part in parts if part)


def lexical_text(product: Product, terms: TermIndex) -> str:
    """product_text plus category path, attribute values and all their localised terms: what the lexical leg sees."""
    facets = [(CATEGORY, level) for level in product.category] + list(product.attributes.items())
    words = [product_text(product, attributes=False)]
    for field, value in facets:
        words.extend([value, *terms.terms_of(field, value)])
    return " ".join(dict.fromkeys(word for word in words if word))
