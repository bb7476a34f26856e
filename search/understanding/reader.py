"""The reader: from the text of a query to what was understood of it.

    reader = Reader(vocabulary, encoder.encode_text)
    reader.read("黑色羊毛衫女, 500以下") -> Understood

Names first, then other spellings of names, then the text encoder's neighbours for what is left. Threads may share it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from catalog.products import CATEGORY
from catalog.words.tokens import language_of, normalise, tokenize
from search.understanding.fillers import FILLERS
from search.understanding.guesses import Guess, Guesser
from search.understanding.negation import Negation, negations
from search.understanding.pieces import NameTable, Piece
from search.understanding.prices import read_prices
from search.understanding.scripts import simplified
from search.understanding.spelling import Spellings
from search.understanding.understood import Facet, How, Meaning, Mention, PriceRange, Understood
from search.understanding.vocabulary import Floats, Vocabulary

LONGEST = 400  # characters that are read; what a shopper wants is said by then
LIKELY = 0.5  # confidence in a meaning from which it is said in the place of the words
_VARIANT = 0.9  # confidence in another spelling, as a share of that in the name
_MOST_JOINED = 3  # words that may be one name
_TOLD = 0.9  # share of its words that a query says of attributes; a title says more, and is best left as it is


class Reader:
    """Reads queries with one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, encode: Callable[[Sequence[str]], Floats]) -> None:
        """`encode`: B texts -> unit rows [B, D], by the encoder that the vocabulary names."""
        self.vocabulary = vocabulary
        self._table = NameTable((*vocabulary.names, *vocabulary.plain_names))
        self._spellings = Spellings(tuple(self._table.words), tuple(self._table.han), vocabulary.known_words)
        self._named: dict[Facet, dict[str, str]] = {}  # the first name in each language
        for name, number in vocabulary.names:
            language = "zh" if language_of(name) != "en" else "en"
            self._named.setdefault(vocabulary.facets[number], {}).setdefault(language, name)
        self._guesser = Guesser(vocabulary, encode)

    def names(self, facet: Facet) -> Mapping[str, str]:
        """Language -> the first name of a facet value in it."""
        return self._named.get(facet, {})

    def read(self, query: str) -> Understood:
        """What is understood of `query`; any text is read, hostile ones too."""
        text = simplified(normalise(query))
        head = text[:LONGEST]
        prices = [self._judged(price) for price in read_prices(head)]
        for price in prices:
            head = head[: price.start] + " " * (price.end - price.start) + head[price.end :]
        pieces = self._spelled(self._table.cut(head))
        guesses = self._guesser.guess([piece for piece, _ in pieces])
        parts = _merged(pieces, self._beside_names([piece for piece, _ in pieces], guesses))
        mentions = [self._mention(part) for part in parts]
        refused = negations([piece for piece, _, _ in parts], [m.field if m else None for m in mentions])
        read = _understood(text, [piece for piece, _, _ in parts], mentions, refused, prices)
        if not refused and not prices:
            read = replace(read, wanted_text=simplified(query))  # with its capitals, which encoders may tell apart
        return self._said_plainly(read)

    def _beside_names(self, pieces: Sequence[Piece], guesses: Sequence[Guess]) -> list[Guess]:
        """Without guesses at a category beside one that is named: "long sleeved" in front of "shirt" is no T-shirt."""

        def tells_category(values: Iterable[int]) -> bool:
            return any(self.vocabulary.facets[value][0] == CATEGORY for value in values)

        named = {number for number, piece in enumerate(pieces) if tells_category(piece.values)}
        return [
            guess
            for guess in guesses
            if named <= set(range(guess[0], guess[1])) or not tells_category([guess[3][0][0]])
        ]

    def _unheard(self, mention: Mention) -> bool:
        """Whether it is no name of the shop's, nor a word of titles: those are found by themselves."""
        return not self._of_the_shop(mention) and not all(
            word in self.vocabulary.known_words for word in tokenize(mention.text)
        )

    def _of_the_shop(self, mention: Mention) -> bool:
        """Whether the shop itself calls its likeliest meaning so, or has it as the value."""
        meaning, said = mention.meanings[0], tokenize(mention.text)
        own = (meaning.value, *self._named.get((meaning.field, meaning.value), {}).values())
        return mention.how == "name" and any(said == tokenize(name) for name in own)

    def _said_plainly(self, read: Understood) -> Understood:
        """With its plain text and the names of what is wanted."""
        said = simplified(normalise(read.wanted_text))
        plain, names, place, told = [*said], [], 0, _told(said, read.wanted())
        for mention in read.wanted():
            language = "zh" if language_of(mention.text) != "en" else "en"
            known = self._named.get((mention.field, mention.meanings[0].value), {})
            likely = mention.confidence >= LIKELY
            here = said.find(mention.text, place)
            if here >= 0:
                place = here + len(mention.text)
                if likely and language in known and self._unheard(mention):
                    plain[here:place] = [known[language], *[""] * (len(mention.text) - 1)]
            if likely:
                names += [
                    known[other]
                    for other in self.vocabulary.languages
                    if other in known and (other != language or (told and not self._of_the_shop(mention)))
                ]
        changed = "".join(plain) if plain != [*said] else read.wanted_text
        return replace(read, plain_text=changed, names=tuple(dict.fromkeys(names)), told=told)

    def _judged(self, price: PriceRange) -> PriceRange:
        """With whether it narrows the answer."""
        known = self.vocabulary.currencies
        reason = ""
        if not known:
            reason = "no product has a price"
        elif price.currency and "" not in known and price.currency not in known:
            reason = f"prices are in {', '.join(known)}"
        return PriceRange(price.text, price.start, price.end, price.bounds, price.currency, not reason, reason)

    def _spelled(self, pieces: list[Piece]) -> list[tuple[Piece, How]]:
        """The pieces with words that are other spellings of names turned into names; `how` matters for names alone."""
        found: list[tuple[Piece, How]] = []
        here = 0
        while here < len(pieces):
            for length in range(min(_MOST_JOINED, len(pieces) - here), 0, -1):
                named = self._variant(pieces[here : here + length])
                if named:
                    found.append((named, "variant"))
                    break
            else:
                length = 1
                found.append((pieces[here], "name"))
            here += length
        return found

    def _variant(self, taken: Sequence[Piece]) -> Piece | None:
        """These pieces as one name in another spelling."""
        joined = "".join(piece.text for piece in taken)
        first, last = taken[0], taken[-1]
        if all(piece.kind == "name" for piece in taken) or any(piece.kind in ("mark", "number") for piece in taken):
            return None
        if all(piece.han for piece in taken):
            name = self._spellings.of_han(joined) if last.end - first.start == len(joined) else None
            values = self._table.han[name] if name else ()
        elif not any(piece.han for piece in taken):
            key = self._spellings.of_words([token for piece in taken for token in tokenize(piece.text)])
            values = self._table.words[key] if key else ()
        else:
            return None
        return Piece(joined, first.start, last.end, "name", values, first.han) if values else None

    def _mention(self, part: "Part") -> Mention | None:
        piece, how, guessed = part
        if guessed:
            facets = self.vocabulary.facets
            meanings = tuple(Meaning(*facets[value], round(chance, 4)) for value, chance in guessed)
        elif piece.kind == "name":
            meanings = self._meanings(piece.values, _VARIANT if how == "variant" else 1.0)
        else:
            return None
        return Mention(piece.text, piece.start, piece.end, how, meanings)

    def _meanings(self, values: Sequence[int], sure: float) -> tuple[Meaning, ...]:
        """A name of several values means each by the square root of how many products have it."""
        counts = {value: self.vocabulary.counts[value] ** 0.5 for value in values}
        total = sum(counts.values())
        ordered = sorted(counts, key=lambda value: (-counts[value], value))
        return tuple(Meaning(*self.vocabulary.facets[v], round(sure * counts[v] / total, 4)) for v in ordered)


Part = tuple[Piece, How, tuple[tuple[int, float], ...]]  # (value, confidence) where it was guessed


def _merged(pieces: Sequence[tuple[Piece, How]], guesses: Sequence[Guess]) -> list[Part]:
    """The pieces, with those that a guess covers replaced by it. `guesses`: (first, last + 1, piece, values)."""
    by_start = {first: (end, piece, values) for first, end, piece, values in guesses}
    parts: list[Part] = []
    here = 0
    while here < len(pieces):
        if here in by_start:
            here, piece, values = by_start[here]
            parts.append((piece, "neighbour", values))
        else:
            parts.append((*pieces[here], ()))
            here += 1
    return parts


def _understood(
    text: str,
    pieces: Sequence[Piece],
    mentions: Sequence[Mention | None],
    refused: Sequence[Negation],
    prices: Sequence[PriceRange],
) -> Understood:
    negated = {number for negation in refused for number in negation.mentions}
    kept = [
        Mention(mention.text, mention.start, mention.end, mention.how, mention.meanings, number in negated)
        for number, mention in enumerate(mentions)
        if mention
    ]
    without = tuple(text[pieces[n.words[0]].start : pieces[n.words[-1]].end] for n in refused if n.words)
    gone = [(pieces[n.start].start, pieces[n.end - 1].end) for n in refused] + [(p.start, p.end) for p in prices]
    wanted = list(text)
    for start, end in gone:
        wanted[start:end] = " " * (end - start)
    return Understood(
        text,
        " ".join("".join(wanted).split()).strip(" ,，、。.;；"),
        mentions=tuple(kept),
        prices=tuple(prices),
        without=without,
    )


def _told(said: str, mentions: Sequence[Mention]) -> bool:
    """Whether nearly all that is `said` is about attributes."""
    words = [word for word in tokenize(said) if word not in FILLERS]
    return sum(len(tokenize(mention.text)) for mention in mentions) >= _TOLD * len(words)
