"""Two releases side by side: what differs, and by how much. A pure function of their lineages."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from catalog.products import Product
from flows.lineage.origins import Lineage, Score


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Differs(_Frozen):
    """One thing that is not the same; None where a side does not have it."""

    name: str
    before: Any = None
    after: Any = None


class ProductChanges(_Frozen):
    """Products of the second snapshot against those of the first."""

    new: int
    gone: int
    changed: int
    same: int


class ScoreChange(_Frozen):
    """One score of both. `apart`: the 95 % intervals do not overlap; None where one is not known.

    It is no test of the difference, which the gates make query by query; it says what is too large to be chance.
    """

    kind: str
    system: str
    metric: str
    before: Score | None
    after: Score | None
    difference: float | None
    apart: bool | None


class ReleaseDiff(_Frozen):
    """`about`: data, code, params hash, encoder, index; only what differs. So are `params` and `gates`."""

    before: str
    after: str
    about: tuple[Differs, ...]
    products: ProductChanges | None
    products_note: str
    """Why products were not counted, where they were not."""
    params: tuple[Differs, ...]
    scores: tuple[ScoreChange, ...]
    same_questions: bool | None
    """Whether both were asked the same; None where it is not known. Else scores differ for that reason too."""
    gates: tuple[Differs, ...]


ABOUT = ("snapshot", "data_md5", "code_revision", "params_hash", "encoder", "milvus")


def differences(
    before: Lineage, after: Lineage, products: ProductChanges | None = None, products_note: str = ""
) -> ReleaseDiff:
    """What is not the same in two releases."""
    asked = (before.evaluation_set, after.evaluation_set)
    return ReleaseDiff(
        before=before.release,
        after=after.release,
        about=differing(_about(before), _about(after)),
        products=products,
        products_note=products_note,
        params=differing(flat(before.params), flat(after.params)),
        scores=_scores(before.scores, after.scores),
        same_questions=None if None in asked else asked[0] == asked[1],
        gates=differing(_gates(before), _gates(after)),
    )


def count_changes(before: list[Product], after: list[Product]) -> ProductChanges:
    """New, gone, changed and unchanged products, by id."""
    old, new = ({product.id: product for product in products} for products in (before, after))
    both = old.keys() & new.keys()
    changed = sum(old[product] != new[product] for product in both)
    return ProductChanges(
        new=len(new.keys() - old.keys()), gone=len(old.keys() - new.keys()), changed=changed, same=len(both) - changed
    )


def flat(document: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """`{"train": {"epochs": 3}}` as `{"train.epochs": 3}`; lists stay whole."""
    told: dict[str, Any] = {}
    for key, value in document.items():
        told |= flat(value, f"{path}{key}.") if isinstance(value, Mapping) and value else {f"{path}{key}": value}
    return told


def _about(lineage: Lineage) -> dict[str, Any]:
    return {name: getattr(lineage, name) for name in ABOUT}


def _gates(lineage: Lineage) -> dict[str, Any]:
    """Rule by rule: outcome, value and limit; beside them whether all passed, and who forced."""
    forced = None if lineage.forced is None else f"{lineage.forced.by}: {lineage.forced.reason}"
    if lineage.gate is None:
        return {"decision": "not asked", "forced": forced}
    told: dict[str, Any] = {"decision": "passed" if lineage.gate.passed else "refused", "forced": forced}
    for reason in lineage.gate.decision.reasons:
        name = " / ".join(part for part in (reason.rule, reason.name, reason.slice) if part)
        told[name] = {"outcome": reason.outcome, "value": reason.value, "limit": reason.limit}
    return told


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Differs, ...]:
    """Names whose values are not the same, in the order of `before`."""
    names = dict.fromkeys((*before, *after))
    return tuple(
        Differs(name=name, before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def _scores(before: tuple[Score, ...], after: tuple[Score, ...]) -> tuple[ScoreChange, ...]:
    old, new = ({(row.kind, row.system, row.metric): row for row in rows} for rows in (before, after))
    return tuple(_change(*key, old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new)))


def _change(kind: str, system: str, metric: str, before: Score | None, after: Score | None) -> ScoreChange:
    difference, apart = None, None
    if before is not None and after is not None:
        difference = round(after.mean - before.mean, 6)
        if None not in (before.low, before.high, after.low, after.high):
            assert before.low is not None and before.high is not None
            assert after.low is not None and after.high is not None
            apart = before.high < after.low or after.high < before.low
    return ScoreChange(
        kind=kind, system=system, metric=metric, before=before, after=after, difference=difference, apart=apart
    )
