"""Late interaction behind the engine: where one vector a product blurs two things, and where it must not tread."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import EncoderMismatch, NotReady
from catalog.products import Product
from models.late.encoder import FORMAT
from models.late.max_sim import coded, scale_of
from models.late.tokens import ProductTokens
from search.engine import Query, SearchEngine
from search.late import LateInteraction, blend, load_late, seen_by, with_late
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.ranking import Ranking
from search.rows import Rows
from tests.search.worlds import D, OtherEncoder, WordEncoder, rows_of

SHARE = {"text": 0.5, "text to pictures": 0.5, "image": 0.5, "text+image": 0.5}


class Words:
    """Token heads that leave words as they are; a "photo" is its caption."""

    width = D
    encoder = WordEncoder.fingerprint

    def words(self, words: Sequence[str]) -> np.ndarray:
        return np.concatenate([np.zeros((0, D), np.float32), *(WordEncoder().encode_text([word]) for word in words)])

    def photo(self, data: bytes) -> np.ndarray:
        return self.words(data.decode().split())

    def look(self, data: bytes) -> tuple[np.ndarray, np.ndarray]:
        return WordEncoder().encode_image([data])[0], self.photo(data)


def tokens_of(pictures: dict[str, list[str]], titles: dict[str, str] | None = None) -> ProductTokens:
    """Product id -> what each of its two places shows: a word, or several words mixed into one vector."""
    titles = titles or {}
    ids = sorted({*pictures, *titles})
    shown = [each for each in ids if each in pictures]
    places = np.stack([WordEncoder().encode_text(pictures[each]) for each in shown])
    scale = scale_of(np.abs(places).max(axis=(0, 1)))
    vocabulary = sorted({word for title in titles.values() for word in title.split()} | {"red"})
    words = [titles.get(each, "").split() for each in ids]
    return ProductTokens(
        ids=ids,
        pictures=np.array([shown.index(each) if each in pictures else -1 for each in ids]),
        counts=np.array([len(own) for own in words]),
        places=coded(places, scale),
        scale=scale,
        vocabulary=vocabulary,
        words=Words().words(vocabulary),
        titles=np.array([vocabulary.index(word) for own in words for word in own], dtype=np.int32),
    )


def late_of(pictures: dict[str, list[str]], titles: dict[str, str] | None = None) -> LateInteraction:
    return LateInteraction(Words(), tokens_of(pictures, titles), Path())  # type: ignore[arg-type]


def engine_of(rows: Rows, late: LateInteraction | None, share: dict[str, float]) -> SearchEngine:
    ranking = Ranking.model_validate({"late": share})
    return SearchEngine(WordEncoder(), MemoryCollection(rows, name="c", release="r1"), ranking, late=late)


def blurred_twins() -> tuple[Rows, LateInteraction]:
    """ "buckle" shows velvet in one place and a buckle in the other, "a-blend" something halfway between in both.

    The mean of the places is the same for both, and so is the one vector that the first stage has of each.
    """
    rows = rows_of([Product(name, name, "", images=("velvet buckle",)) for name in ("a-blend", "buckle")])
    return rows, late_of({"buckle": ["velvet", "buckle"], "a-blend": ["velvet buckle", "velvet buckle"]})


@pytest.mark.parametrize("query", [Query(text="velvet buckle"), Query(images=(b"buckle velvet",))])
def test_what_one_vector_blurs_is_told_apart_by_its_places(query: Query):
    rows, late = blurred_twins()
    without = engine_of(rows, None, {}).search(query).hits
    assert [hit.id for hit in without] == ["a-blend", "buckle"]
    assert without[0].score == without[1].score  # a tie, in the order of ids
    with_late = engine_of(rows, late, SHARE).search(query).hits
    assert with_late[0].id == "buckle"


def test_a_share_of_nothing_changes_nothing():
    rows, late = blurred_twins()
    query = Query(text="velvet buckle")
    plain = engine_of(rows, None, {}).search(query)
    for share in ({}, {"text": 0.0}, {"image": 1.0}):
        assert engine_of(rows, late, share).search(query).hits == plain.hits


class Once(Words):
    """Counts how often it looks at a photo."""

    def __init__(self) -> None:
        self.looked: list[bytes] = []

    def look(self, data: bytes) -> tuple[np.ndarray, np.ndarray]:
        self.looked.append(data)
        return WordEncoder().encode_image([data])[0], Words.photo(self, data)

    def photo(self, data: bytes) -> np.ndarray:
        return self.look(data)[1]


def test_a_photo_goes_through_the_image_tower_once_and_gives_what_two_passes_gave():
    rows, late = blurred_twins()
    query = Query(images=(b"buckle velvet", b"buckle"), k=2)
    once = LateInteraction(Once(), late.tokens, Path())  # type: ignore[arg-type]
    engine = engine_of(rows, once, SHARE)
    engine.encoder.encode_image = lambda images: pytest.fail("a second pass")  # type: ignore[method-assign]
    found = engine.search(query)
    assert once.heads.looked == list(query.images)  # type: ignore[attr-defined]
    retrieved = engine_of(rows, None, {}).retrieve(query)
    assert not retrieved.photos
    fused = retrieved.ranked(engine.ranking)
    twice = late.blended(fused, query, seen_by(retrieved.candidates), SHARE["image"])
    assert [(hit.id, hit.score) for hit in found.hits] == twice


def test_where_late_interaction_has_no_share_it_does_not_look_at_photos():
    rows, late = blurred_twins()
    once = LateInteraction(Once(), late.tokens, Path())  # type: ignore[arg-type]
    assert engine_of(rows, once, {"text": 0.5}).search(Query(images=(b"buckle",))).hits
    assert once.heads.looked == []  # type: ignore[attr-defined]


def test_only_what_the_named_legs_see_is_looked_at():
    assert seen_by(["dense", "lexical"]) == {"image", "text"}
    assert seen_by(["image"]) == {"image"} and seen_by(["text"]) == {"text"} and seen_by(["lexical"]) == frozenset()
    rows = rows_of([Product(name, name, "wool sock", images=("sock",)) for name in ("a", "b")])
    late = late_of({"a": ["sock", "sock"], "b": ["sock", "wool"]}, {"a": "wool sock", "b": "sock sock"})
    engine = engine_of(rows, late, SHARE)
    asked = {leg: engine.search(Query(text="wool", legs=(leg,))).hits for leg in ("image", "text")}
    assert {leg: [hit.id for hit in hits] for leg, hits in asked.items()} == {"image": ["b", "a"], "text": ["a", "b"]}
    both = late.scores(Query(text="wool"), ["a", "b"], seen_by(["dense"]))
    assert both == pytest.approx({"a": 1.0, "b": 1.0}, abs=0.02)  # one says it, the other shows it
    lexical = Query(text="wool", legs=("lexical",))
    assert engine.search(lexical).hits == engine_of(rows, None, {}).search(lexical).hits


def test_words_and_photo_weigh_as_the_query_says():
    late = late_of({"a": ["red", "sock"], "b": ["blue", "hat"]})
    words, photo, ids = Query(text="red"), Query(images=(b"hat",)), ["a", "b"]
    both = Query(text="red", images=(b"hat",), text_weight=0.25)
    image = frozenset({"image"})
    apart = late.scores(words, ids, image), late.scores(photo, ids, image)
    assert late.scores(both, ids, image) == pytest.approx({p: 0.25 * apart[0][p] + 0.75 * apart[1][p] for p in ids})
    two = late.scores(Query(images=(b"hat", b"sock")), ids, image)
    sock = late.scores(Query(images=(b"sock",)), ids, image)
    assert two == pytest.approx({p: (apart[1][p] + sock[p]) / 2 for p in ids})


def test_a_word_of_a_title_and_the_same_word_made_now_are_one_token():
    late = late_of({"a": ["red", "sock"]}, {"a": "red sock"})
    assert "red" in late.tokens.known and "hat" not in late.tokens.known
    assert np.array_equal(late._words(("red", "hat")), Words().words(("red", "hat")))


def test_a_blend_by_hand():
    """First stage .9 .5 .1 is 1 .5 0; late .2 .6 for b, c is 0 1; half of each, on the scale of .9 to .1."""
    fused = [("a", 0.9), ("b", 0.5), ("c", 0.1)]
    mixed = blend(fused, {"b": 0.2, "c": 0.6}, 0.5)
    # a keeps 1 -> .9    c: .5 * 0 + .5 * 1 = .5 -> .5    b: .5 * .5 + .5 * 0 = .25 -> .3
    assert mixed == [("a", 0.9), ("c", 0.5), ("b", 0.3)]
    assert blend(fused, {}, 0.5) == blend(fused, {"a": 1.0}, 0.0) == fused
    close = blend([("a", 1.0), ("b", 0.9)], {"a": 0.50, "b": 0.52}, 0.5)  # a: .5 + .5 * .8    b: 0 + .5
    assert close == [("a", 0.99), ("b", 0.95)]
    assert blend([("a", 0.9)], {"a": 0.1}, 1.0) == [("a", 0.9)]
    assert blend([("b", 0.5), ("c", 0.5)], {"b": 0.1, "c": 0.2}, 1.0) == [("c", 0.5), ("b", 0.5)]


def test_what_adds_up_to_a_score_names_the_second_stage():
    rows, late = blurred_twins()
    for hit in engine_of(rows, late, {"text": 0.5}).search(Query(text="velvet buckle", explain=True)).hits:
        assert hit.contributions is not None
        assert sum(hit.contributions.values()) == pytest.approx(hit.score, abs=1e-4)
    legs = {"a": {"dense": 0.4, "image": 0.1}, "b": {"dense": 0.2}}
    assert with_late(legs, [("a", 0.7), ("b", 0.2)]) == {
        "a": {"dense": 0.4, "image": 0.1, "late": 0.2},
        "b": {"dense": 0.2},
    }


def test_the_second_stage_keeps_to_the_top():
    rows = rows_of([Product(f"p{n:02}", f"g{n}", f"sock number {n}", images=("sock",)) for n in range(30)])
    late = late_of({f"p{n:02}": ["hat", "sock" if n > 25 else "hat"] for n in range(30)})
    ranking = Ranking.model_validate({"candidates": 10, "late": SHARE})
    engine = SearchEngine(
        WordEncoder(), MemoryCollection(rows, name="c", release="r1"), ranking, None, None, None, late
    )
    plain = ranking.model_copy(update={"late": {}})
    first = SearchEngine(WordEncoder(), MemoryCollection(rows, name="c", release="r1"), plain, late=late)
    query = Query(text="sock", k=30, legs=("image",))
    before, after = ([hit.id for hit in each.search(query).hits] for each in (first, engine))
    assert set(after[:10]) == set(before[:10]) and after[10:] == before[10:]


def test_settings_that_need_late_interaction_are_refused_without_it():
    with pytest.raises(NotReady, match="ask for late interaction, and its tokens are not there"):
        engine_of(rows_of(), None, SHARE)
    for wrong in ({"text": 1.5}, {"image": -0.1}, {"product": 0.5}, {"colour": 0.5}):
        with pytest.raises(ValueError, match="late"):
            Ranking.model_validate({"late": wrong})


def test_a_folder_that_says_no_is_no_late_interaction_and_one_that_is_missing_is_not_ready(tmp_path: Path):
    (tmp_path / "late.json").write_text('{"enabled": false}')
    assert load_late(tmp_path, WordEncoder()) is None
    with pytest.raises(NotReady, match="run the late stage"):
        load_late(tmp_path / "nowhere", WordEncoder())


def test_the_search_logic_takes_it_along_only_where_it_has_a_share(tmp_path: Path):
    folder = tmp_path / "late"
    tokens_of({"d1": ["red", "dress"]}).save(folder / "tokens")
    (folder / "late.json").write_text(f'{{"format": {FORMAT}, "encoder": "{OtherEncoder.fingerprint}", "width": {D}}}')
    SearchLogic(Ranking(), late=folder).save(tmp_path / "plain")
    assert SearchLogic.load(tmp_path / "plain").late is None
    SearchLogic(Ranking.model_validate({"late": SHARE}), late=folder).save(tmp_path / "weighed")
    logic = SearchLogic.load(tmp_path / "weighed")
    assert logic.late == tmp_path / "weighed" / "late"
    assert ProductTokens.load(logic.late / "tokens").ids == ["d1"]
    with pytest.raises(EncoderMismatch, match="trained on encoder oooo"):
        logic.engine(WordEncoder(), MemoryCollection(rows_of(), name="c", release="r1"))
