"""What a query says of attributes beyond its text: its weighted terms, and what its photos show where no words say it.

"in red" beside a photo of a blue shirt -> colour Red from the words, category Shirts from the photo: the words replace
what the photo shows in the same field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from catalog.errors import InvalidQuery
from search.collection import ATTRIBUTES
from search.query import Query, WeightedTerm
from search.understanding.reader import Reader
from search.understanding.understood import Meaning, Mention, Understood
from search.votes import Shares


def read(query: Query, reader: Reader | None) -> tuple[Understood | None, tuple[Mention, ...]]:
    """What the text says, None without one, and all that text and terms mention; nothing where they are plain.

    Raises InvalidQuery where the attributes leg is named and there is nothing that it could read.
    """
    reading = reader if query.understand else None
    if ATTRIBUTES in (query.legs or ()) and reading is None and not (query.understand and query.images):
        raise InvalidQuery("The attributes leg needs a text that is understood: this one is plain words.")
    if reading is None:
        return None, ()
    understood = None if query.text is None else reading.read(query.text)
    mentions = () if understood is None else understood.mentions
    return understood, (*mentions, *of_terms(reading, query.terms))


def of_terms(reader: Reader, terms: Iterable[WeightedTerm]) -> tuple[Mention, ...]:
    """What the terms mention, as sure as they are heavy; what pushes away is not wanted."""
    return tuple(_weighed(mention, term.weight) for term in terms for mention in reader.read(term.text).mentions)


def of_photos(shown: Mapping[str, Shares], said: Sequence[Mention]) -> tuple[Mention, ...]:
    """What photos show (search.votes), in the fields that nothing `said` speaks of."""
    spoken = {mention.field for mention in said}
    return tuple(
        Mention("", 0, 0, "photo", tuple(Meaning(field, value, share) for value, share in shares))
        for field, shares in shown.items()
        if field not in spoken
    )


def with_photos(understood: Understood | None, shown: Sequence[Mention]) -> Understood | None:
    """`understood` and what photos show; None where there is neither."""
    if not shown:
        return understood
    read = understood or Understood("", "")
    return replace(read, mentions=(*read.mentions, *shown))


def _weighed(mention: Mention, weight: float) -> Mention:
    sure = min(1.0, abs(weight))
    meanings = tuple(replace(meaning, confidence=meaning.confidence * sure) for meaning in mention.meanings)
    return replace(mention, meanings=meanings, negated=mention.negated != (weight < 0))
