"""Enough of PromQL to know which series an expression asks for, and to refuse what is no expression.

read('sum by (le) (rate(a_bucket{kind="text"}[5m]))')
-> Asked(selectors=[Selector("a_bucket", [("kind", "=", "text")], ranged=True)], grouped={"le"})
"""

import re
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

AGGREGATIONS = {"sum", "avg", "min", "max", "count", "topk"}
FUNCTIONS = {"rate", "increase", "histogram_quantile", "clamp_min", "label_values"}
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = {"and", "or", "unless", "offset", "bool"}
TOKEN = re.compile(
    r"""\s+
    | (?P<matchers>\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\})
    | (?P<range>\[(?:\d+[smhdw]|\$__rate_interval|\$__range)\])
    | (?P<number>\d+[smhdw]\b|\d*\.?\d+(?:e-?\d+)?\b)
    | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<mark>==|!=|>=|<=|[-+*/%^<>(),])
    """,
    re.VERBOSE,
)
MATCHER = re.compile(r'\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
COUNTS = ("_total", "_count", "_sum", "_bucket")
FROM_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus itself puts on every series."""


class NoPromQL(ValueError):
    """What was given is no expression."""


@dataclass
class Selector:
    """A metric, its matchers (label, operator, value), and whether a range of it is asked for."""

    metric: str
    matchers: list[tuple[str, str, str]] = field(default_factory=list)
    ranged: bool = False


@dataclass
class Asked:
    """What an expression asks for; `grouped`: labels that it groups or joins by."""

    selectors: list[Selector] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)


def read(expression: str) -> Asked:
    """What `expression` asks for. Raises NoPromQL."""
    tokens = _tokens(expression)
    asked, at = Asked(), 0
    last: Selector | None = None
    while at < len(tokens):
        kind, words = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "name" and words in GROUPING and (following == "(" or not words.startswith("group_")):
            end = next((n for n in range(at, len(tokens)) if tokens[n][1] == ")"), None)
            if following != "(" or end is None:
                raise NoPromQL(f"'{words}' without labels: {expression}")
            asked.grouped |= {label for kind, label in tokens[at + 2 : end] if kind == "name"}
            at = end
        elif kind == "name" and words in AGGREGATIONS | FUNCTIONS:
            if following != "(" and following not in GROUPING:
                raise NoPromQL(f"'{words}' without arguments: {expression}")
        elif kind == "name" and words not in WORDS | GROUPING:
            if following == "(":
                raise NoPromQL(f"there is no function '{words}': {expression}")
            last = Selector(words)
            asked.selectors.append(last)
        elif kind in ("matchers", "range"):
            if last is None or tokens[at - 1][0] not in ("name", "matchers"):
                raise NoPromQL(f"{words} stands behind no metric: {expression}")
            if kind == "matchers":
                last.matchers += _matchers(words, expression)
            else:
                last.ranged = True
        at += 1
    opened = sum({"(": 1, ")": -1}.get(words, 0) for _, words in tokens)
    if opened or not asked.selectors:
        raise NoPromQL(f"not an expression: {expression}")
    return asked


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if match is None:
            raise NoPromQL(f"cannot read {expression[at : at + 20]!r}: {expression}")
        if match.lastgroup:
            found.append((match.lastgroup, match[0]))
        at = match.end()
    return found


def _matchers(words: str, expression: str) -> list[tuple[str, str, str]]:
    inside, found, at = words[1:-1], [], 0
    while at < len(inside):
        match = MATCHER.match(inside, at)
        if match is None:
            raise NoPromQL(f"cannot read the matchers {words}: {expression}")
        found.append((match[1], match[2], match[3]))
        at = match.end()
    return found


def exported(page: str) -> dict[str, list[dict[str, str]]]:
    """The series of a /metrics page: name of the sample -> labels of each series. When one was made is left out."""
    series: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                series.setdefault(sample.name, []).append(dict(sample.labels))
    return series


def faults(expression: str, page: str, recorded: set[str]) -> list[str]:
    """Why `expression` would find nothing at a service with that /metrics page; empty when it would find something."""
    asked, series, found = read(expression), exported(page), []
    for selector in asked.selectors:
        if selector.metric in recorded | {"up"}:
            continue
        if selector.metric not in series:
            found.append(f"{selector.metric} is not exported")
            continue
        rows = series[selector.metric]
        labels = {label for row in rows for label in row} | FROM_PROMETHEUS
        found += [f"{selector.metric} has no label {label}" for label in asked.grouped - labels]
        for label, how, value in selector.matchers:
            if label not in labels:
                found.append(f"{selector.metric} has no label {label}")
            elif (
                "$" not in value
                and how in ("=", "=~")
                and not any(_fits(row.get(label, ""), how, value) for row in rows)
            ):
                found.append(f"{selector.metric} has no series with {label}{how}{value}")
        if selector.ranged != selector.metric.endswith(COUNTS):
            found.append(f"{selector.metric} is asked {'with' if selector.ranged else 'without'} a range")
    return found


def _fits(label: str, how: str, value: str) -> bool:
    return label == value if how == "=" else re.fullmatch(value.replace("\\\\", "\\"), label) is not None
