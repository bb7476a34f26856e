"""What an answer tells of itself without judgements: which legs its best hit comes from, and whether they agree.

A leg gives a hit when it has it among its own best TOP. Scores are not looked at: they compare within one answer only.
"""

from search.engine import Answer

TOP = 10
ENOUGH = 2
"""Legs that must give the best hit; each of them reads other things (words, vectors of words, pictures, tags)."""


def legs_asked(answer: Answer) -> tuple[str, ...]:
    """The legs that were asked; none where there is no hit to tell them."""
    return tuple(answer.hits[0].legs) if answer.hits else ()


def legs_that_gave_it(answer: Answer) -> tuple[str, ...]:
    """The legs that have the best hit among their own best TOP."""
    if not answer.hits:
        return ()
    return tuple(leg for leg, place in answer.hits[0].legs.items() if place.rank is not None and place.rank <= TOP)


def is_doubtful(answer: Answer) -> bool:
    """Low confidence: there are hits, ENOUGH legs were asked, and fewer than that give the best hit.

    It says that the legs do not agree, not that the answer is wrong. A query of one leg cannot be judged so.
    """
    return len(legs_asked(answer)) >= ENOUGH > len(legs_that_gave_it(answer))
