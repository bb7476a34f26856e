"""The share of late interaction, on a shop where it is known whether it helps."""

from collections.abc import Collection, Sequence

import pytest

from catalog.media import MediaStore
from evaluation.params import TuneParams
from evaluation.pool import hidden_collection
from evaluation.runs import as_asked, photos_of
from evaluation.tuning import late_shares
from evaluation.tuning.late_shares import GAIN, LOSS, SHARES, choose_shares, two_stages
from evaluation.tuning.tune import validation_questions
from models.encoder_folder import Floats
from search.engine import Query, SearchEngine
from search.late import LateInteraction, blend
from search.ranking import Ranking
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

POOL = shop()
QUESTIONS = validation_questions(POOL, POOL, TERMS, (), TuneParams(queries=20))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    return media(tmp_path_factory.mktemp("media"))


class Oracle(LateInteraction):
    """Late interaction that knows which product a title is of (its number), or says the same of every product."""

    def __init__(self, knows: bool) -> None:
        self.knows = knows

    def scores(
        self, query: Query, ids: list[str], seen: Collection[str], photos: Sequence[Floats] = ()
    ) -> dict[str, float]:
        said = (query.words() or "").split()
        return {each: float(self.knows and f"Maker{int(each[1:])}" in said) for each in ids}


def engine(store: MediaStore) -> SearchEngine:
    encoder = FacetEncoder()
    return SearchEngine(encoder, hidden_collection(POOL, embedded(POOL, store, encoder), encoder), Ranking())


def test_what_tells_titles_apart_gets_a_share_and_what_says_nothing_gets_none(store: MediaStore) -> None:
    chosen = {}
    for knows in (True, False):
        late = Oracle(knows)
        chosen[knows], report = choose_shares(engine(store), late, QUESTIONS, photos_of(store), margin=0.05)
        assert report["text"]["score"] >= report["text"]["start_score"]
        assert set(report["text"]["tried"]) == {str(share) for share in SHARES}
    assert chosen[True]["text to pictures"] > 0
    assert chosen[False] == {"text": 0.0, "text to pictures": 0.0, "image": 0.0, "text+image": 0.0}


def test_a_gain_below_the_margin_does_not_pay(store: MediaStore) -> None:
    late = Oracle(knows=True)
    shares, report = choose_shares(engine(store), late, QUESTIONS, photos_of(store), margin=10.0)
    assert shares["text"] == 0.0
    assert report["text"]["score"] == report["text"]["start_score"]


def test_a_second_stage_that_gains_next_to_nothing_is_not_waited_for(
    store: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Oracle(knows=True)
    shares, report = choose_shares(engine(store), late, QUESTIONS, photos_of(store), margin=0.0)
    gain = report["text to pictures"]["score"] - report["text to pictures"]["start_score"]
    assert shares["text to pictures"] > 0
    assert gain >= GAIN
    monkeypatch.setattr(late_shares, "GAIN", gain + 0.001)
    shares, report = choose_shares(engine(store), late, QUESTIONS, photos_of(store), margin=0.0)
    assert shares["text to pictures"] == 0.0
    assert report["text to pictures"]["score"] == report["text to pictures"]["start_score"]


def test_both_stages_blend_to_what_the_engine_answers(store: MediaStore) -> None:
    late, plain, photos = Oracle(knows=True), engine(store), photos_of(store)
    ranking = Ranking.model_validate({"late": {"text to pictures": 0.6}})
    whole = SearchEngine(plain.encoder, plain.collection, ranking, late=late)
    for query in QUESTIONS.of_kind("title_to_photo")[:3]:
        stages = two_stages(plain, late, query, photos)
        mixed = blend(stages.first, stages.late, 0.6) + stages.rest
        hits = whole.search(as_asked(query, photos, ("image",))).hits
        assert [(hit.id, hit.score) for hit in hits] == mixed[: len(hits)]


class Contrary(Oracle):
    """Wants what the first stage found last."""

    def scores(
        self, query: Query, ids: list[str], seen: Collection[str], photos: Sequence[Floats] = ()
    ) -> dict[str, float]:
        return {each: float(number) for number, each in enumerate(ids)}


def test_what_one_kind_of_question_loses_no_other_can_pay_for(store: MediaStore) -> None:
    shares, report = choose_shares(engine(store), Contrary(knows=True), QUESTIONS, photos_of(store), margin=-10.0)
    for kind, share in shares.items():
        tried = report[kind]["tried"]
        assert all(value >= tried["0.0"][name] - LOSS for name, value in tried[str(share)].items())
    assert any(
        value < report["text"]["tried"]["0.0"][name] - LOSS for name, value in report["text"]["tried"]["0.9"].items()
    )
