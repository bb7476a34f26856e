"""Remembered vectors of queries are the encoder's own to the last bit, few enough, and never another release's."""

import threading
import tracemalloc
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from catalog.errors import InvalidMedia
from models.encoder import Look
from models.encoder_folder import Floats
from search.engine import Query
from search.query import WeightedTerm
from search.query_cache import CachedEncoder, Lookup, past_the_cache
from tests.bento.tiny_encoder import DIM, photo
from tests.bento.world import make_engine, tiny_encoder


class Counting:
    """The tiny encoder, and what it was asked; `sign` -1 makes it another encoder with other vectors."""

    def __init__(self, sign: float = 1.0) -> None:
        self.inside, self.sign, self.asked = tiny_encoder(), np.float32(sign), []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)

    def encode_text(self, texts: Sequence[str]) -> Floats:
        self.asked.append(tuple(texts))
        return self.sign * self.inside.encode_text(texts)

    def encode_image(self, images: Sequence[bytes]) -> Floats:
        self.asked.append(len(images))
        return self.sign * self.inside.encode_image(images)

    def look(self, image: bytes) -> Look:
        return self.inside.look(image)  # type: ignore[no-any-return]


def make(most: int = 100, sign: float = 1.0) -> tuple[CachedEncoder, Counting, list[Lookup]]:
    told: list[Lookup] = []
    encoder = Counting(sign)
    return CachedEncoder(encoder, "r1", most, told.append), encoder, told


def test_a_second_question_is_answered_from_memory_with_the_same_bits():
    cached, encoder, told = make()
    first, second = cached.encode_text(["red dress"]), cached.encode_text(["red dress"])
    assert first.tobytes() == second.tobytes() == tiny_encoder().encode_text(["red dress"]).tobytes()
    assert encoder.asked == [("red dress",)]
    assert [lookup.hit for lookup in told] == [False, True]
    assert told[-1] == Lookup("r1", "text", True, evicted=0, vectors=1, nbytes=4 * DIM)


def test_spellings_that_the_tokenizer_does_not_tell_apart_share_one_vector_and_others_do_not():
    cached, encoder, _ = make()
    for text in ("red dress", "Red  DRESS", " red dress "):
        assert cached.encode_text([text]).tobytes() == tiny_encoder().encode_text([text]).tobytes()
    assert len(encoder.asked) == 1
    for text in ("red dresses", "dress red", "红裙"):
        assert cached.encode_text([text]).tobytes() == tiny_encoder().encode_text([text]).tobytes()
    assert len(encoder.asked) == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [(["red", "blue"], ["blue", "red"]), (["red", "blue"], ["red blue"]), (["red"], ["red", "red"]), ([], ["red"])],
)
def test_calls_with_other_texts_have_other_keys(one: list[str], other: list[str]):
    assert tiny_encoder().text_key(one) != tiny_encoder().text_key(other)


def test_pictures_are_known_by_their_content_and_order():
    cached, encoder, told = make()
    red, blue = photo("Red"), photo("Blue")
    for images in ([red], [bytes(bytearray(red))], [blue], [red, blue], [blue, red], [red, blue]):
        assert cached.encode_image(images).tobytes() == tiny_encoder().encode_image(images).tobytes()
    assert [lookup.hit for lookup in told] == [False, True, False, False, False, True]
    assert {lookup.modality for lookup in told} == {"image"}
    assert len(encoder.asked) == 4


def test_a_picture_that_is_refused_is_refused_again():
    cached, encoder, told = make()
    for _ in range(2):
        with pytest.raises(InvalidMedia):
            cached.encode_image([b"Dear shop"])
    assert (len(encoder.asked), cached.vectors, told) == (2, 0, [])


def test_the_longest_unused_is_forgotten_first():
    cached, encoder, told = make(most=2)
    for text in ("red", "blue", "red", "green", "red", "blue"):
        cached.encode_text([text])
    assert encoder.asked == [("red",), ("blue",), ("green",), ("blue",)]
    assert [lookup.evicted for lookup in told] == [0, 0, 0, 1, 0, 1]


def test_a_call_counts_as_many_vectors_as_it_has_and_one_over_the_limit_is_not_kept():
    cached, _, told = make(most=3)
    cached.encode_text(["red"])
    cached.encode_text(["red", "blue", "green"])
    assert (cached.vectors, told[-1].evicted) == (3, 1)
    cached.encode_text(["red", "blue", "green", "black"])
    assert (cached.vectors, told[-1].evicted) == (3, 0)
    with pytest.raises(ValueError, match="1 vector or more"):
        CachedEncoder(tiny_encoder(), "r1", 0)


def test_who_writes_into_an_answer_does_not_change_the_next_one():
    cached, _, _ = make()
    truth = tiny_encoder().encode_text(["red"])
    cached.encode_text(["red"])[:] = 7
    cached.encode_text(["red"])[:] = 7
    assert cached.encode_text(["red"]).tobytes() == truth.tobytes()


def test_two_releases_never_share_a_vector():
    old, _, _ = make(sign=1.0)
    new, _, _ = make(sign=-1.0)
    for cached, sign in ((old, 1), (new, -1), (old, 1), (new, -1)):
        assert cached.encode_text(["red"]).tobytes() == (sign * tiny_encoder().encode_text(["red"])).tobytes()


def test_past_the_cache_the_encoder_is_asked_anew_and_nothing_is_counted():
    cached, encoder, told = make()
    cached.encode_text(["red"])
    with past_the_cache():
        cached.encode_text(["red"])
        cached.encode_text(["blue"])
    assert len(encoder.asked) == 3 and len(told) == 1 and cached.vectors == 1
    cached.encode_text(["red"])
    assert len(encoder.asked) == 3


def test_the_engines_answers_are_equal_to_the_last_bit_with_and_without():
    queries = [
        Query(text="red dress"),
        Query(text="RED dress"),
        Query(text="蓝色鞋", k=30),
        Query(images=(photo("Red"),)),
        Query(images=(photo("Red"), photo("Blue")), text="shirt", text_weight=0.3),
        Query(text="dress", terms=(WeightedTerm("blue", 0.75), WeightedTerm("red", -0.5))),
        Query(terms=(WeightedTerm("shoes"), WeightedTerm("green"))),
    ]
    cached, encoder, _ = make(most=5)  # some are forgotten on the way
    plain, quick = make_engine(), make_engine(cached)
    for query in queries * 3 + queries[::-1]:
        assert quick.search(query).hits == plain.search(query).hits != ()
    assert len(encoder.asked) < 4 * len(queries)


def test_threads_get_right_vectors_and_the_limit_holds_all_the_time():
    cached, _, told = make(most=7)
    texts = [[f"{colour} {kind}"] for colour in ("red", "blue", "green") for kind in ("dress", "shirt", "shoes", "hat")]
    truth = [tiny_encoder().encode_text(text).tobytes() for text in texts]
    start = threading.Barrier(8)

    def ask(seed: int) -> int:
        start.wait()
        numbers = np.random.default_rng(seed).integers(0, len(texts), 300)
        return sum(cached.encode_text(texts[number]).tobytes() != truth[number] for number in numbers)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 0
    assert len(told) == 8 * 300
    assert max(lookup.vectors for lookup in told) == cached.vectors == 7
    kept = sum(not lookup.hit for lookup in told) - sum(lookup.evicted for lookup in told)
    assert kept >= 7  # two threads may have encoded the same; it is kept once


def test_what_two_threads_encode_at_the_same_time_is_held_once():
    both = threading.Barrier(2)

    class Slow(Counting):
        def encode_text(self, texts: Sequence[str]) -> Floats:
            both.wait(10)
            return super().encode_text(texts)

    encoder = Slow()
    cached = CachedEncoder(encoder, "r1", most=2)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(cached.encode_text, [["red"], ["red"]]))
    assert (len(encoder.asked), cached.vectors) == (2, 1)


def test_memory_stays_within_what_the_limit_promises():
    class Wide(Counting):
        dim = 512

        def text_key(self, texts: Sequence[str]) -> bytes:
            return texts[0].encode().ljust(32)

        def encode_text(self, texts: Sequence[str]) -> Floats:
            return np.ones((1, 512), dtype=np.float32)

    cached = CachedEncoder(Wide(), "r1", most=200)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(5_000):
            cached.encode_text([f"query {number}"])
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert cached.nbytes == 200 * 512 * 4
    assert grown < 200 * (512 * 4 + 400) + 20_000, grown / 200
