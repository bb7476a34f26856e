"""What a photo shows, as its neighbours tell it."""

import numpy as np
import pytest

from catalog.products import Product
from search.filters import Filter, Without
from search.memory import MemoryCollection
from search.votes import VOTERS, voted
from tests.search.worlds import WordEncoder, rows_of


def collection_of(*products: Product) -> MemoryCollection:
    return MemoryCollection(rows_of(products), name="c", release="r1")


def pictured(identity: str, seen: str, attributes: dict[str, str], category: tuple[str, ...] = ()) -> Product:
    return Product(identity, identity, "", category=category, attributes=attributes, images=(seen,))


PHOTO = WordEncoder().encode_image([b"red dress"])[0]
NEAR = pictured("a", "red dress", {"colour": "Red", "season": "Summer"}, ("Women", "Dresses"))
FURTHER = pictured("b", "red dress long", {"colour": "Maroon"}, ("Women", "Dresses"))
FAR = pictured("c", "red dress long wool green", {}, ("Women", "Gowns"))
SHOP = (NEAR, FURTHER, FAR)


def share(votes: float, whole: float) -> float:
    return float(round(votes / whole, 4))


def test_a_neighbour_votes_as_near_as_it_is_and_one_that_does_not_tell_counts_in_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.votes.SHARPNESS", 0.5)  # so that these three, far apart, all have a say
    near, further, far = (float(WordEncoder().encode_image([p.images[0].encode()])[0] @ PHOTO) for p in SHOP)
    assert near == pytest.approx(1.0) and near > further > far
    votes = [np.exp((cosine - 1.0) / 0.5) for cosine in (near, further, far)]  # of either leg: no product has words
    whole = sum(votes)
    assert voted(collection_of(*SHOP), PHOTO) == {
        "category": (("Dresses", share(votes[0] + votes[1], whole)), ("Gowns", share(votes[2], whole))),
        "colour": (("Red", share(votes[0], whole)), ("Maroon", share(votes[1], whole))),
    }  # a season is not shown by a photo


def test_a_product_that_is_left_out_has_no_vote() -> None:
    shares = voted(collection_of(*SHOP), PHOTO, Filter((Without("a"),)))
    assert [value for value, _ in shares["colour"]] == ["Maroon"]


def test_where_nothing_is_told_nothing_is_voted() -> None:
    assert voted(collection_of(pictured("a", "red dress", {})), PHOTO) == {}
    assert voted(collection_of(Product("a", "a", "red dress", attributes={"colour": "Red"})), PHOTO) == {
        "colour": (("Red", 1.0),)  # found by its words: the dense leg knows it
    }


def test_where_few_neighbours_tell_a_field_nothing_is_known_of_it() -> None:
    silent = [pictured(f"p{n}", "red dress", {}) for n in range(3)]
    assert voted(collection_of(NEAR, *silent), PHOTO)["colour"] == (("Red", 0.25),)
    assert voted(collection_of(NEAR, *silent, pictured("q", "red dress", {})), PHOTO) == {}


def test_a_value_with_hardly_a_vote_is_left_out() -> None:
    crowd = [pictured(f"p{n:03}", "red dress", {"colour": "Red"}) for n in range(VOTERS)]
    odd = pictured("z", "red dress long", {"colour": "Blue"})
    assert voted(collection_of(*crowd[:-1], odd), PHOTO)["colour"] == (("Red", pytest.approx(1.0, abs=0.01)),)


def test_in_a_small_shop_those_that_look_otherwise_do_not_outvote_the_few_that_look_alike() -> None:
    others = [pictured(f"p{n:03}", f"green shirt {n}", {"colour": "Green"}) for n in range(40)]
    assert voted(collection_of(NEAR, *others), PHOTO)["colour"] == (("Red", pytest.approx(1.0, abs=0.01)),)
