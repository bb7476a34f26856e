"""Pages that stand alone: what is not known stops them, what is shown is escaped, and all have one look."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

HERE = Path(__file__).parent


def template(path: Path) -> Template:
    """The template at `path`; it may include what lies beside it or here (style.css.j2)."""
    environment = Environment(
        loader=FileSystemLoader([path.parent, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(path.name)
