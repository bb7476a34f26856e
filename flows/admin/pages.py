"""The pages as HTML: templates beside this module, in the look of the evaluation report."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template
from starlette.requests import Request

from evaluation.pages.figures import system_label
from evaluation.pages.heat_colours import DARK, LIGHT, colours, step_of
from evaluation.pages.template import template
from evaluation.queries.kinds import KINDS
from flows.admin.entrance import VISITOR
from flows.admin.reading import moved

HERE = Path(__file__).parent


def page(name: str, request: Request, **context: Any) -> str:
    """The page `name` for whoever asks; nobody is shown a form that needs a session without one."""
    visitor = request.scope.get(VISITOR)
    session = visitor.session if visitor else None
    words = {
        "label": system_label,
        "kind_of": kind_words,
        "asks": asks,
        "step": step_of,
        "day": day,
        "number": number,
        "moved": moved,
    }
    return _template(f"{name}.html.j2").render(
        here=request.url.path, visitor=visitor, proof=session.proof if session else "", **words, **context
    )


@cache
def style_sheet() -> str:
    """The report's style, and what these pages add to it."""
    return _template("admin.css.j2").render(light=colours(LIGHT), dark=colours(DARK))


def kind_words(kind: str) -> str:
    """A kind of query as people read it."""
    return kind.replace("_", " ")


def asks(kind: str) -> str:
    """What a kind of query asks."""
    return KINDS[kind].asks


def day(at: str) -> str:
    """A time (ISO 8601, UTC) to the minute."""
    return at[:16].replace("T", " ")


def number(value: float | None) -> str:
    """A value or a limit of a gate."""
    return "" if value is None else f"{value:.4g}"


@cache
def _template(name: str) -> Template:
    return template(HERE / name)
