"""One planted fault at a time: each is met by its own expectation, with a sentence that says what and how much."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import great_expectations.expectations as gxe
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.media import media_id
from catalog.products import Interaction, Judgement, Quarantined, Term
from tests.validation.worlds import World, picture, product
from validation.checks import validate_snapshot
from validation.expectations import expect
from validation.params import ValidateParams
from validation.report import Severity, ValidationReport
from validation.suites import SUITES

Spoil = Callable[[World], None]


@dataclass(frozen=True)
class Fault:
    """How to spoil a world, and what must be said about it."""

    spoil: Spoil
    expectation: str
    severity: Severity
    sentence: str


FAULTS: dict[str, Fault] = {}


def fault(expectation: str, severity: Severity, sentence: str) -> Callable[[Spoil], Spoil]:
    def remember(spoil: Spoil) -> Spoil:
        FAULTS[spoil.__name__] = Fault(spoil, expectation, severity, sentence)
        return spoil

    return remember


@fault("products.id_present", "stop", "1 of 60 products have no id: row 8.")
def an_id_is_blank(world: World) -> None:
    world.change(7, id=" ")


@fault("products.id_unique", "stop", "2 of 60 products share their id with another: 'p3'.")
def two_products_have_one_id(world: World) -> None:
    world.change(4, id="p3")


@fault("products.group_present", "stop", "1 of 60 products have no group id: 'p5'.")
def a_group_id_is_empty(world: World) -> None:
    world.change(5, group_id="")


@fault("products.title_or_picture", "stop", "1 of the 2 products without a picture have no title either: 'p9'.")
def a_product_has_neither_title_nor_picture(world: World) -> None:
    world.change(8, images=())
    world.change(9, images=(), title="")


@fault("products.title_has_a_word", "warn", "1 of 60 titles have no letter and no digit: 'p9' (---).")
def a_title_is_only_signs(world: World) -> None:
    world.change(9, title="---")


@fault("products.pictures_exist", "stop", "1 of 60 products name a picture that data/media does not hold: 'p2'.")
def a_picture_is_missing_from_the_store(world: World) -> None:
    world.change(2, images=(*world.products[2].images, "0" * 24))


@fault(
    "products.price_range", "stop", "2 of 60 products have a price below zero or not finite: 'p1' (-0.01), 'p2' (inf)."
)
def prices_are_negative_or_endless(world: World) -> None:
    world.change(1, price=-0.01)
    world.change(2, price=float("inf"))


@fault("products.price_has_currency", "stop", "1 of 60 prices have no currency: 'p1'.")
def a_price_has_no_currency(world: World) -> None:
    world.change(1, currency=None)


@fault(
    "products.currency_code", "stop", "1 of 60 products have a currency that is not a code such as EUR: 'p1' (euro)."
)
def a_currency_is_a_word(world: World) -> None:
    world.change(1, currency="euro")


@fault("products.one_currency", "warn", "Prices come in 2 currencies; a price filter compares bare numbers.")
def prices_are_in_two_currencies(world: World) -> None:
    world.change(1, currency="CNY")


@fault(
    "products.language_code", "stop", "1 of 60 products have a language that is not a code such as en: 'p1' (English)."
)
def a_language_is_a_word(world: World) -> None:
    world.change(1, language="English")


@fault("products.stock_range", "warn", "1 of 60 products have a stock below zero: 'p1' (-1.0).")
def a_stock_is_negative(world: World) -> None:
    world.change(1, stock=-1)
    world.change(2, stock=None)


@fault("products.rating_range", "warn", "1 of 60 products have a rating outside 0 to 100: 'p1' (900.0).")
def a_rating_is_beyond_every_scale(world: World) -> None:
    world.change(1, rating=900.0)


@fault(
    "products.updated_at_time",
    "warn",
    "1 of 60 products have a time of change without a zone or not ISO 8601: 'p1' (2026-05-01T12:00:00).",
)
def a_time_has_no_zone(world: World) -> None:
    world.change(1, updated_at="2026-05-01T12:00:00")


@fault("products.attributes_filled", "warn", "1 of 60 products have an attribute without a name or value: 'p10'.")
def an_attribute_is_blank(world: World) -> None:
    world.change(10, attributes={"colour": " "})


@fault(
    "products.attributes_reachable", "warn", "1 of 60 products have an attribute called like a product field: 'p10'."
)
def an_attribute_hides_behind_a_field(world: World) -> None:
    world.change(10, attributes={"price": "cheap"})


@fault("products.without_image_share", "stop", "61.7% of the 60 products have no picture; at most 60.0% may have none.")
def pictures_are_missing(world: World) -> None:
    for number in range(37):  # 37 / 60 = 0.617
        world.change(number, images=())


@fault(
    "products.duplicate_title_share",
    "stop",
    "61.7% of the 60 products repeat the title of an earlier product; at most 60.0% may.",
)
def titles_say_nothing(world: World) -> None:
    for number in range(38):  # 37 of them repeat the first
        world.change(number, title="New  arrival" if number % 2 else "NEW ARRIVAL")


@fault(
    "products.largest_group_share",
    "stop",
    "The largest product group holds 21.7% of the 60 products; at most 20.0% may.",
)
def one_group_swallows_a_fifth(world: World) -> None:
    for number in range(13):  # 13 / 60 = 0.217
        world.change(number, group_id="shirts")


@fault("products.enough_products", "stop", "There are 49 products; at least 50 are needed.")
def the_export_is_cut_short(world: World) -> None:
    del world.products[49:]


@fault("products.enough_groups", "stop", "The 60 products form 19 product groups; at least 20 are needed.")
def there_are_few_groups(world: World) -> None:
    for number in range(60):
        world.change(number, group_id=f"g{number % 19}")


@fault("products.enough_categories", "warn", "The 60 products lie in 0 categories; at least 2 are expected.")
def there_are_no_categories(world: World) -> None:
    for number in range(60):
        world.change(number, category=())
    world.terms = [term for term in world.terms if term.field != "category"]


@fault("media.large_enough", "warn", "1 of 61 pictures have a side under 64 pixels: ")
def a_picture_is_a_thumbnail(world: World) -> None:
    small = picture(0, size=(63, 90))
    world.media.append((media_id(small), small))
    world.change(0, images=(*world.products[0].images, media_id(small)))


@fault("media.id_is_content", "stop", f"1 of 60 media have other bytes than their id says: '{media_id(picture(0))}'.")
def a_picture_was_exchanged(world: World) -> None:
    world.media[0] = (media_id(picture(0)), picture(200))


@fault("media.used", "warn", f"1 of 61 pictures belong to no product: '{media_id(picture(99))}'.")
def a_picture_is_left_over(world: World) -> None:
    world.media.append((media_id(picture(99)), picture(99)))


@fault(
    "media.placeholder",
    "warn",
    f"1 of 60 pictures each stand for over 5.0% of all product groups: '{media_id(picture(0))}' (0.1333",
)
def a_placeholder_stands_for_many(world: World) -> None:  # g0 to g3: 4 / 30 = 0.133
    for number in (2, 4, 6):
        world.change(number, images=(*world.products[number].images, media_id(picture(0))))


@fault("terms.term_present", "stop", "1 of 4 rows have no term: 'colour' / 'Green' (!).")
def a_term_is_no_word(world: World) -> None:
    world.terms.append(Term("colour", "Green", "zh", "!"))


@fault("terms.language_code", "stop", "1 of 4 terms have a language that is not a code such as zh: 'colour' / 'Green'")
def a_term_speaks_an_unknown_language(world: World) -> None:
    world.terms.append(Term("colour", "Green", "Chinese", "绿色"))


@fault("terms.value_occurs", "warn", "1 of 4 terms name a value that no product has: 'colour' / 'Grean'.")
def a_term_names_a_value_that_never_occurs(world: World) -> None:
    world.terms.append(Term("colour", "Grean", "zh", "绿色"))


@fault("terms.unique", "warn", "2 of 4 terms are there more than once: 'colour' / 'Red'")
def a_term_is_there_twice(world: World) -> None:
    world.terms.append(world.terms[0])


@fault(
    "judgements.product_known",
    "stop",
    "1 of 3 judgements are about a product that is not in the snapshot: 'red shirt' / 'gone'.",
)
def a_judgement_points_nowhere(world: World) -> None:
    world.judgements.append(Judgement("red shirt", "gone", 1))


@fault(
    "judgements.one_grade",
    "stop",
    "2 of 3 judgements contradict another about the same query and product: 'red shirt' / 'p0'.",
)
def two_judgements_contradict(world: World) -> None:
    world.judgements.append(Judgement("red shirt", "p0", 1, "en"))


@fault("judgements.unique", "warn", "2 of 3 judgements repeat another: 'red shirt' / 'p0'.")
def a_judgement_is_repeated(world: World) -> None:
    world.judgements.append(world.judgements[0])


@fault("judgements.grade_range", "stop", "1 of 3 judgements have a grade outside 0 to 10: 'red shirt' / 'p2' (100).")
def a_grade_is_a_percentage(world: World) -> None:
    world.judgements.append(Judgement("red shirt", "p2", 100))


@fault(
    "judgements.query_answered",
    "warn",
    "1 of 3 judgements belong to queries without any good answer: 'blue hat' / 'p2'.",
)
def a_query_has_no_good_answer(world: World) -> None:
    world.judgements.append(Judgement("blue hat", "p2", 0))


@fault("judgements.query_present", "stop", "1 of 3 rows have no query: '?' / 'p2'.")
def a_judged_query_has_no_words(world: World) -> None:
    world.judgements.append(Judgement("?", "p2", 1))


@fault(
    "interactions.product_known",
    "stop",
    "1 of 2 interactions are about a product that is not in the snapshot: 'u2' / 'gone'.",
)
def an_interaction_points_nowhere(world: World) -> None:
    world.interactions.append(Interaction("u2", "gone", "buy", "2026-05-01T12:00:00Z"))


@fault(
    "interactions.action_known", "stop", "1 of 2 interactions have no action or an unknown one: 'u2' / 'p1' (stare)."
)
def an_action_is_unknown(world: World) -> None:
    world.interactions.append(Interaction("u2", "p1", "stare", "2026-05-01T12:00:00Z"))


@fault(
    "interactions.at_time",
    "stop",
    "1 of 2 interactions have no time, or one without a zone or not ISO 8601: 'u2' / 'p1' (yesterday).",
)
def an_interaction_has_no_time(world: World) -> None:
    world.interactions.append(Interaction("u2", "p1", "buy", "yesterday"))


@fault(
    "snapshot.quarantined_share",
    "stop",
    "4 of 64 source rows (6.2%) were quarantined (3 broken_picture, 1 no_title); at most 5.0% may be.",
)
def many_rows_are_bad(world: World) -> None:
    reasons = ("broken_picture", "no_title", "broken_picture", "broken_picture")
    world.quarantined = [Quarantined(70 + n, f"x{n}", reason, "why") for n, reason in enumerate(reasons)]


@fault("snapshot.count_products", "stop", "snapshot.json counts 61 products, but 60 are there.")
def the_record_counts_another_number_of_products(world: World) -> None:
    world.recorded = {"products": 61}


@fault("snapshot.count_media", "stop", "snapshot.json counts 60 media, but 59 are there.")
def a_medium_was_lost_after_ingest(world: World) -> None:
    world.recorded = {"media": 60}
    del world.media[59]
    world.change(59, images=())
    world.recorded["without_image"] = 1


@fault("snapshot.rows_accounted", "stop", "The source had 70 rows, but only 60 are products or quarantined.")
def rows_of_the_source_vanished(world: World) -> None:
    world.recorded = {"source_rows": 70}


@fault("snapshot.identity", "stop", "data/ was changed after ingest: snapshot.json says 000000000000, the content is ")
def the_content_is_not_what_was_recorded(world: World) -> None:
    world.recorded = {"id": "0" * 12}


@fault(
    "snapshot.dropped_judgements",
    "stop",
    "33.3% of the judgements could not be used (1 judgements: a product that is not in the snapshot); at most 20.0%",
)
def judgements_were_dropped(world: World) -> None:  # 1 of 1 + 2
    world.recorded = {"dropped": {"judgements: a product that is not in the snapshot": 1}}


@fault("snapshot.nothing_dropped", "warn", "3 things that the source has were left out: 3 terms: repeated.")
def terms_were_dropped(world: World) -> None:
    world.recorded = {"dropped": {"terms: repeated": 3}}


def in_media(number: int, **changes: object) -> Callable[[list[dict[str, object]]], None]:
    """Other values in one row of the first shard, whose rows lie in the order of the products."""
    return lambda rows: rows[number].update(changes)


@fault("media.id_unique", "stop", "2 of 61 media share their id with another: ")
def a_picture_is_packed_twice(world: World) -> None:
    world.spoil_media = lambda rows: rows.append(rows[0])
    world.recorded = {"media": 61}


@fault("media.modality", "stop", f"1 of 60 media are not pictures: '{media_id(picture(0))}' (audio).")
def a_medium_is_a_sound(world: World) -> None:
    world.spoil_media = in_media(0, modality="audio")


@fault("media.format", "stop", f"1 of 60 pictures are in an unknown format: '{media_id(picture(0))}' (TIFF 9).")
def a_picture_is_in_an_unknown_format(world: World) -> None:
    world.spoil_media = in_media(0, format="TIFF 9")


@fault(
    "media.header_agrees",
    "stop",
    f"1 of 60 pictures do not open or are of another size than recorded: '{media_id(picture(0))}' (other size).",
)
def a_picture_is_smaller_than_its_row_says(world: World) -> None:
    world.spoil_media = in_media(0, width=1000)


@fault("media.width", "stop", f"1 of 60 pictures have a width under 8 pixels: '{media_id(picture(0))}' (4).")
def a_picture_is_a_line(world: World) -> None:
    world.spoil_media = in_media(0, width=4)


@fault("media.height", "stop", f"1 of 60 pictures have a height under 8 pixels: '{media_id(picture(0))}' (1).")
def a_picture_is_a_dot_high(world: World) -> None:
    world.spoil_media = in_media(0, height=1)


@fault("terms.field_present", "stop", "1 of 4 rows have no field: row 4.")
def a_term_names_no_field(world: World) -> None:
    world.terms.append(Term("", "Green", "zh", "绿色"))


@fault("terms.value_present", "stop", "1 of 4 rows have no value: row 4.")
def a_term_names_no_value(world: World) -> None:
    world.terms.append(Term("colour", " ", "zh", "绿色"))


@fault("terms.language_present", "stop", "1 of 4 rows have no language: 'colour' / 'Green'.")
def a_term_is_in_no_language(world: World) -> None:
    world.terms.append(Term("colour", "Green", "", "绿色"))


@fault("judgements.grade_present", "stop", "1 of 3 judgements have no grade: 'red shirt' / 'p2'.")
def a_judgement_has_no_grade(world: World) -> None:
    world.judgements.append(Judgement("red shirt", "p2", None))  # type: ignore[arg-type]


@fault(
    "judgements.language_code",
    "stop",
    "1 of 3 judgements have a language that is not a code such as zh: 'red shirt' / 'p2' (English).",
)
def a_judgement_is_in_a_language_by_its_name(world: World) -> None:
    world.judgements.append(Judgement("red shirt", "p2", 1, "English"))


@fault("interactions.user_id_present", "stop", "1 of 2 rows have no user_id: row 2.")
def nobody_bought_something(world: World) -> None:
    world.interactions.append(Interaction(" ", "p1", "buy", "2026-05-01T12:00:00Z"))


@fault("snapshot.count_groups", "stop", "snapshot.json counts 31 product groups, but 30 are there.")
def groups_are_counted_wrongly(world: World) -> None:
    world.recorded = {"groups": 31}


@fault("snapshot.count_without_image", "stop", "snapshot.json counts 9 products without a picture, but 0 are there.")
def products_without_a_picture_are_counted_wrongly(world: World) -> None:
    world.recorded = {"without_image": 9}


@fault("snapshot.count_terms", "stop", "snapshot.json counts 73 terms, but 3 are there.")
def terms_were_cut_off_after_ingest(world: World) -> None:
    world.recorded = {"terms": 73}


@fault("snapshot.count_judgements", "stop", "snapshot.json counts 5 judgements, but 2 are there.")
def judgements_were_cut_off_after_ingest(world: World) -> None:
    world.recorded = {"judgements": 5}


@fault("snapshot.count_interactions", "stop", "snapshot.json counts 0 interactions, but 1 are there.")
def an_interaction_came_after_ingest(world: World) -> None:
    world.recorded = {"interactions": 0}


@fault("snapshot.count_quarantined", "stop", "snapshot.json counts 0 quarantined rows, but 1 are there.")
def a_quarantined_row_was_not_counted(world: World) -> None:
    world.quarantined = [Quarantined(61, "x", "no_title", "why")]
    world.recorded = {"quarantined": {}}


SIDE_EFFECTS = {  # what else of the table must be said, because the same fault breaks it too
    "a_currency_is_a_word": {"products.one_currency"},
    "two_judgements_contradict": {"judgements.unique"},
    "judgements_were_dropped": {"snapshot.nothing_dropped"},
    "a_picture_is_a_line": {"media.header_agrees", "media.large_enough"},
    "a_picture_is_a_dot_high": {"media.header_agrees", "media.large_enough"},
    "a_term_names_no_field": {"terms.value_occurs"},
    "a_term_names_no_value": {"terms.value_occurs"},
    "a_term_is_in_no_language": {"terms.language_code"},
}


def broken(report: ValidationReport) -> set[str]:
    return {finding.name for finding in report.findings if not finding.success}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_planted_fault_is_met_by_its_own_expectation_with_its_sentence(name: str, tmp_path: Path) -> None:
    planted, world = FAULTS[name], World()
    planted.spoil(world)
    table = planted.expectation.split(".")[0]
    report = validate_snapshot(world.write(tmp_path / "data"), suites={table: SUITES[table]})
    finding = next(finding for finding in report.findings if finding.name == planted.expectation)
    assert not finding.success
    assert finding.severity == planted.severity
    assert (finding.sentence or "").startswith(f"{table}: {planted.sentence}")
    assert report.success == (planted.severity == "warn" and not report.failures)
    assert (finding.sentence in report.failures) == (planted.severity == "stop")
    assert (finding.sentence in report.warnings) == (planted.severity == "warn")
    assert broken(report) - {planted.expectation} <= SIDE_EFFECTS.get(name, set())


def test_every_expectation_has_a_planted_fault() -> None:
    asked = {f"{table}.{each.meta['name']}" for table, of in SUITES.items() for each in of(ValidateParams())}
    assert asked == {planted.expectation for planted in FAULTS.values()}


def test_every_stop_fault_keeps_the_snapshot_from_being_trained_on_and_no_warning_does(tmp_path: Path) -> None:
    world = World()
    prices_are_in_two_currencies(world)
    assert validate_snapshot(world.write(tmp_path / "warned")).success
    a_price_has_no_currency(world)
    assert not validate_snapshot(world.write(tmp_path / "stopped")).success


def test_a_missing_table_is_a_failed_report_that_says_which(tmp_path: Path) -> None:
    data = World().write(tmp_path / "data")
    (data / "products.parquet").unlink()
    report = validate_snapshot(data)
    assert not report.success
    assert report.findings == ()
    assert report.snapshot is not None  # the rest still has an id, so a flow knows what the report is about
    assert "products.parquet does not exist" in report.sentence()


def test_no_snapshot_at_all_is_a_failed_report(tmp_path: Path) -> None:
    report = validate_snapshot(tmp_path)
    assert (report.success, report.snapshot) == (False, None)
    assert "ingest a catalogue first" in report.sentence()


def test_a_table_without_a_column_of_the_contract_is_a_failed_report(tmp_path: Path) -> None:
    data = World().write(tmp_path / "data")
    table = pq.ParquetFile(data / "products.parquet").read()
    pq.write_table(table.drop_columns(["price"]), data / "products.parquet")
    assert "lacks the columns price" in validate_snapshot(data).sentence()


def test_a_torn_media_shard_is_a_failed_report(tmp_path: Path) -> None:
    data = World().write(tmp_path / "data")
    shard = data / "media" / "image-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-100])
    assert "is not a readable media shard" in validate_snapshot(data).sentence()


def test_pictures_that_do_not_open_or_are_smaller_than_recorded_stop(tmp_path: Path) -> None:
    data = World().write(tmp_path / "data")
    shard = data / "media" / "image-00000.parquet"
    rows = pq.ParquetFile(shard).read().to_pylist()
    rows[0]["bytes"] = b"not a picture"
    rows[1]["width"] = 4
    pq.write_table(pa.Table.from_pylist(rows), shard)
    report = validate_snapshot(data)
    first, second = rows[0]["media_id"], rows[1]["media_id"]
    said = " ".join(report.failures)
    assert (
        f"2 of 60 pictures do not open or are of another size than recorded: '{first}' (unreadable), '{second}'" in said
    )
    assert f"1 of 60 pictures have a width under 8 pixels: '{second}' (4)." in said
    assert "media.large_enough" in broken(report)


def test_nulls_are_met_even_where_the_contract_forbids_them(tmp_path: Path) -> None:
    data = World().write(tmp_path / "data")
    rows = pq.ParquetFile(data / "judgements.parquet").read().to_pylist()
    rows[0]["grade"] = None
    rows[1]["query"] = None
    pq.write_table(pa.Table.from_pylist(rows), data / "judgements.parquet")
    said = " ".join(validate_snapshot(data).failures)
    assert "1 of 2 judgements have no grade: 'red shirt' / 'p0'." in said
    assert "1 of 2 rows have no query: row 2." in said


def test_a_limit_in_params_moves_the_verdict_and_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    world = World()
    for number in range(18):  # 18 / 60 = 0.3
        world.change(number, images=())
    data = world.write(tmp_path / "data")
    assert validate_snapshot(data, ValidateParams(max_missing_image=0.3)).success
    refused = validate_snapshot(data, ValidateParams(max_missing_image=0.29))
    assert refused.failures == ("products: 30.0% of the 60 products have no picture; at most 29.0% may have none.",)


def test_an_expectation_that_cannot_be_computed_stops_although_it_would_only_warn(tmp_path: Path) -> None:
    odd = expect(gxe.ExpectColumnValuesToBeBetween, "odd", column="no_such_column", min_value=0, severity="warn",
                 claim="It adds up.", reason="It must.", says="never said")  # fmt: skip
    report = validate_snapshot(World().write(tmp_path / "data"), suites={"terms": lambda params: [odd]})
    assert len(report.failures) == 1
    assert report.failures[0].startswith('terms: "It adds up." could not be checked: ')
    assert "no_such_column" in report.failures[0]


def test_the_verdict_names_the_first_failure_and_how_many_more(tmp_path: Path) -> None:
    world = World()
    world.change(1, price=-5.0)
    world.change(2, currency=None)
    report = validate_snapshot(world.write(tmp_path / "data"))
    assert len(report.failures) == 2
    assert report.sentence() == (
        f"Snapshot {report.snapshot} is not fit to train on: products: 1 of 60 products have a price below zero or not "
        "finite: 'p1' (-5.0). And 1 more: see reports/validate.json."
    )
    assert json.loads(json.dumps(report.to_json()))["counts"]["stopped"] == 2


def test_sixty_products_of_the_good_world_are_not_all_alike() -> None:
    """The faults above mean nothing if the good world were empty."""
    world = World()
    assert len({made.id for made in world.products}) == 60
    assert replace(product(3)) == product(3)
