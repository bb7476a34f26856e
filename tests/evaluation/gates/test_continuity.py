"""Today's snapshot against the champion's: what counts as lost, and that a shop may change every day."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from catalog.products import Judgement, Product, Term
from evaluation.gates.continuity import Continuity, Tables, continuity
from evaluation.gates.decide import asked_of_continuity
from evaluation.gates.reasons import Reason
from evaluation.gates.rules import ContinuityRules
from tests.validation import test_harmless as harmless
from tests.validation.worlds import World

RULES = ContinuityRules()
TERMS = [
    Term("colour", "Red", "zh", "红色"),
    Term("colour", "Blue", "zh", "蓝色"),
    Term("category", "Hats", "zh", "帽子"),
]


def product(number: int) -> Product:
    return Product(
        id=f"p{number}",
        group_id=f"p{number}",
        title=f"Hat {number}",
        category=("Clothes", "Hats" if number % 2 else "Socks"),
        attributes={"colour": "Red" if number % 4 < 2 else "Blue"},
        price=10.0 + number,
        currency="EUR",
        images=(f"m{number}",),
    )


PRODUCTS = [product(number) for number in range(80)]
JUDGEMENTS = [Judgement(f"hat {number}", f"p{number}", 1) for number in range(40)]
THEN = Tables(PRODUCTS, TERMS, JUDGEMENTS)


def reasons(now: Tables, then: Tables = THEN) -> list[Reason]:
    return list(asked_of_continuity(continuity(then, now, RULES.minimum), RULES))


def refusal(now: Tables) -> Reason:
    (reason,) = [reason for reason in reasons(now) if reason.outcome == "failed"]
    return reason


def test_the_same_snapshot_has_lost_nothing() -> None:
    assert {(reason.outcome, reason.value) for reason in reasons(THEN)} == {("passed", 1.0), ("passed", 0.0)}


@pytest.mark.parametrize(
    "now",
    [
        Tables([*PRODUCTS, *(product(number) for number in range(80, 240))], TERMS, JUDGEMENTS),  # grown threefold
        Tables([product(number) for number in range(1000, 1080)], TERMS, JUDGEMENTS),  # all new, of the same sorts
        Tables(PRODUCTS[:60], TERMS, JUDGEMENTS[:30]),  # a quarter is sold out
        Tables([replace(each, price=(each.price or 0) * 0.7) for each in PRODUCTS], TERMS, JUDGEMENTS),  # a sale
        Tables([replace(each, stock=0, brand="New") for each in PRODUCTS], TERMS, JUDGEMENTS),
        Tables(
            [replace(each, price=None) if n % 10 == 0 else each for n, each in enumerate(PRODUCTS)], TERMS, JUDGEMENTS
        ),
        Tables(PRODUCTS, [*TERMS, Term("colour", "Red", "cs", "červená")], JUDGEMENTS),
    ],
)
def test_what_shops_do_every_day_is_no_loss(now: Tables) -> None:
    assert [reason.sentence for reason in reasons(now) if reason.outcome != "passed"] == []


LOSSES = (harmless.no_side_tables, harmless.products_without_any_optional_field)  # of what the champion had


@pytest.mark.parametrize("change", [change for change in harmless.HARMLESS if change not in LOSSES])
def test_what_validation_takes_for_harmless_is_no_loss_either(change: Callable[[World], None]) -> None:
    then, now = World(), World()
    change(now)
    sides = [Tables(world.products, world.terms, world.judgements) for world in (then, now)]
    assert [reason.sentence for reason in reasons(sides[1], sides[0]) if reason.outcome != "passed"] == []


def test_a_category_that_is_gone_is_named_with_its_path() -> None:
    socks = Tables([each for each in PRODUCTS if each.category[1] == "Socks"] + more_socks(), TERMS, JUDGEMENTS)
    (lost,) = [reason for reason in reasons(socks) if reason.slice == "Clothes > Hats"]
    assert (lost.outcome, lost.value, lost.limit) == ("failed", 0.0, 0.5)
    assert lost.sentence.endswith("It was 40, and is 0.")


def more_socks() -> list[Product]:
    return [replace(product(number), category=("Clothes", "Socks")) for number in range(1001, 1081, 2)]


def test_a_category_of_a_few_products_may_go() -> None:
    rare = [replace(each, category=("Clothes", "Scarves")) for each in PRODUCTS[:19]]
    then = Tables([*PRODUCTS, *(replace(each, id=f"r{each.id}") for each in rare)], TERMS, JUDGEMENTS)
    assert all(reason.outcome == "passed" for reason in reasons(THEN, then))


def test_a_field_of_another_name_is_a_field_that_is_gone() -> None:
    renamed = [replace(each, attributes={"color": each.attributes["colour"]}) for each in PRODUCTS]
    lost = {reason.slice for reason in reasons(Tables(renamed, TERMS, JUDGEMENTS)) if reason.outcome == "failed"}
    assert lost == {"colour", "zh"}  # and its values have lost their names


def test_terms_count_as_often_as_products_have_their_values() -> None:
    lost = refusal(Tables(PRODUCTS, TERMS[:2], JUDGEMENTS))
    assert (lost.slice, lost.value) == ("zh", pytest.approx(80 / 120))  # 80 colours and 40 hats had a name
    assert refusal(Tables(PRODUCTS, [], JUDGEMENTS)).value == 0.0


def test_judgements_that_are_cut_off_are_missed() -> None:
    assert refusal(Tables(PRODUCTS, TERMS, JUDGEMENTS[:20])).value == 0.5


@pytest.mark.parametrize("factor", [7.8, 1 / 7.8, 100.0])
def test_prices_of_the_same_products_in_another_unit_are_seen_either_way(factor: float) -> None:
    dearer = [replace(each, price=(each.price or 0) * factor) for each in PRODUCTS]
    assert refusal(Tables(dearer, TERMS, JUDGEMENTS)).value == pytest.approx(max(factor, 1 / factor))


def test_the_same_prices_under_another_currency_are_seen() -> None:
    renamed = [replace(each, currency="USD") for each in PRODUCTS]
    assert refusal(Tables(renamed, TERMS, JUDGEMENTS)).name == "share of the champion's products whose currency changed"


def test_half_a_catalogue_is_half_a_catalogue() -> None:
    half = {reason.name for reason in reasons(Tables(PRODUCTS[:40], TERMS, JUDGEMENTS)) if reason.outcome == "failed"}
    assert half == {"products, as a share of the champion's snapshot"}


def test_a_champion_whose_snapshot_is_not_at_hand_is_said_and_refuses_nothing() -> None:
    (reason,) = asked_of_continuity(Continuity(unknown="It is not in DVC's cache."), RULES)
    assert (reason.outcome, reason.sentence) == ("insufficient", "It is not in DVC's cache.")
    assert list(asked_of_continuity(None, RULES)) == []
