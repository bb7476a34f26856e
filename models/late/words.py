"""Which words of a text are matched one by one."""

from catalog.words.tokens import tokenize

MOST_WORDS = 32  # of a query; who pastes a page is answered by its beginning


def words_of(text: str, most: int = MOST_WORDS) -> tuple[str, ...]:
    """The first `most` distinct words of `text`, folded as the lexical leg folds them.

    >>> words_of("Women's red shoes, RED")
    ('woman', 'red', 'shoe')
    """
    return tuple(dict.fromkeys(tokenize(text)))[:most]
