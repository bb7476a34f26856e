"""What is understood of a query."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.understanding.shops import SenseEncoder, read, reader_of, vocabulary_of


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("black sweaters for men", {"black": "Black", "sweaters": "Sweaters", "men": "Men"}),
        ("navy blue dress", {"navy blue": "Navy Blue", "dress": "Dresses"}),
        ("女士红色连衣裙", {"女士": "Women", "红色": "Red", "连衣裙": "Dresses"}),
        ("黑色羊驼衫女", {"黑色": "Black", "羊驼衫": "Sweaters", "女": "Women"}),
        ("black 连衣裙", {"black": "Black", "连衣裙": "Dresses"}),
        ("黑色運動鞋", {"黑色": "Black", "运动鞋": "Sports Shoes"}),
        ("swaeter", {"swaeter": "Sweaters"}),
        ("藏青毛衣", {"藏青": "Navy Blue", "毛衣": "Sweaters"}),
        ("noir clobber", {"noir": "Black", "clobber": "Dresses"}),
        ("I want to buy something", {}),
    ],
)
def test_names_other_spellings_and_neighbours_in_both_languages(query: str, meant: dict[str, str]):
    assert read(query) == meant


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("dress not black", {"dress": "Dresses", "black": "-Black"}),
        ("not black dress", {"black": "-Black", "dress": "Dresses"}),
        ("dress, anything but red or black", {"dress": "Dresses", "red": "-Red", "black": "-Black"}),
        ("non-black dress", {"black": "-Black", "dress": "Dresses"}),
        ("dress -black", {"dress": "Dresses", "black": "-Black"}),
        ("不要黑色的衬衫", {"黑色的": "-Black", "衬衫": "Shirts"}),
        ("除了红色和黑色以外的连衣裙", {"红色": "-Red", "黑色": "-Black", "连衣裙": "Dresses"}),
        ("非黑色毛衣", {"黑色": "-Black", "毛衣": "Sweaters"}),
        ("没有黑色的手提包", {"黑色的": "-Black", "手提包": "Handbags"}),
        ("非常红色的毛衣", {"红色的": "Red", "毛衣": "Sweaters"}),  # 非常 is "very"
    ],
)
def test_a_negation_reaches_the_next_mention_and_others_of_its_field(query: str, meant: dict[str, str]):
    assert read(query) == meant


def test_what_is_not_wanted_and_no_attribute_is_told_as_words():
    understood = reader_of().read("black sports shoes without laces")
    assert understood.without == ("laces",)
    assert understood.wanted_text == "black sports shoes"


def test_the_text_to_search_for_lacks_prices_and_negations():
    understood = reader_of().read("Red dress under 50 euros, not black")
    assert understood.wanted_text == "red dress"
    assert [(price.bounds, price.currency, price.applied) for price in understood.prices] == [
        ((("lte", 50.0),), "EUR", True)
    ]


def test_a_text_without_either_is_searched_as_it_was_typed():
    assert reader_of().read("Black  Dress").wanted_text == "Black  Dress"


@pytest.mark.parametrize(
    ("query", "priced", "reason"),
    [("dress under 50 dollars", True, "prices are in EUR"), ("dress under 50", False, "no product has a price")],
)
def test_a_price_that_cannot_narrow_is_shown_with_the_reason(query: str, priced: bool, reason: str):
    (price,) = reader_of(priced).read(query).prices
    assert (price.applied, price.reason) == (False, reason)


def test_a_guess_is_said_in_the_names_of_the_shop_and_in_the_language_of_its_titles():
    understood = reader_of().read("黑色羊驼衫")
    assert understood.plain_text == "黑色毛衣"
    assert understood.names == ("black", "sweater")


def test_a_guess_takes_in_the_head_of_the_word():
    understood = reader_of().read("篮球鞋")
    assert understood.mentions[0].text == "篮球鞋"
    assert understood.mentions[0].meanings[0].value == "Sports Shoes"


def test_confidences_are_shares_and_the_likeliest_comes_first():
    for query in ("黑色羊驼衫女 clobber noir", "swaeter not black 球靴"):
        for mention in reader_of().read(query).mentions:
            shares = [meaning.confidence for meaning in mention.meanings]
            assert shares == sorted(shares, reverse=True)
            assert 0 < sum(shares) <= 1 + 1e-6


def test_a_read_query_is_told_as_plain_values():
    told = reader_of().read("dress not black under 50 eur").to_json()
    assert [(f["text"], f["negated"], f["meanings"][0]["value"]) for f in told["facets"]] == [
        ("dress", False, "Dresses"),
        ("black", True, "Black"),
    ]
    assert told["prices"][0]["price"] == {"lte": 50.0}


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text("不要除了以外红黑色衬衫鞋500-，. not under$¥'\"=()%", max_size=40))
def test_any_text_is_read_and_mentions_lie_in_it(query: str):
    understood = reader_of().read(query)
    for part in (*understood.mentions, *understood.prices):
        assert 0 <= part.start < part.end <= len(understood.text)
    for mention in understood.mentions:
        assert mention.meanings
        assert all((m.field, m.value) in vocabulary_of().facets for m in mention.meanings)


@pytest.mark.parametrize("piece", ["a", "黑", "1", "not ", "under 5", "-", "毛衣", "羊驼衫 ", "👗", "\u202e", "'"])
def test_a_long_text_of_anything_is_read_in_a_moment(piece: str):
    started = time.process_time()
    reader_of().read(piece * 2_000)
    assert time.process_time() - started < 2.0


def test_a_vocabulary_without_names_reads_nothing_and_breaks_nothing():
    from search.understanding.learning import learn_vocabulary
    from search.understanding.reader import Reader
    from tests.search.worlds import embeddings_of

    encoder = SenseEncoder()
    bare = learn_vocabulary([], [], embeddings_of([], encoder), encoder)
    understood = Reader(bare, encoder.encode_text).read("black dress, not red, under 50")
    assert (understood.mentions, understood.prices[0].applied) == ((), False)


def test_a_title_is_not_said_in_the_names_of_its_attributes_and_a_query_is():
    reader = reader_of()
    assert reader.read("women's jumper").names == ("sweater",)
    assert reader.read("women's jumper").told
    assert reader.read("women's jumper by Acme with lilac sequins").names == ()
    assert not reader.read("women's jumper by Acme with lilac sequins").told
