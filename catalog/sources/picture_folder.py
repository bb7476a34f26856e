"""A plain folder of pictures: each is a product, and the folders it lies in, or else its name, say its category.

shoes/boots/red-boot-1.jpg     category shoes > boots, title "red boot 1"
mug_001.jpg mug_002.jpg        category mug
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import InvalidSource
from catalog.sources.mapped import TableSource
from catalog.sources.mapping import mapping_of
from catalog.sources.opening import Opening
from catalog.sources.rows import Row

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
COLUMNS = ("path", "title", "category")

_CAMERA = re.compile(r"(?i)(img|dsc|dscn|dscf|pic|image|photo|picture|p|_mg)?[-_ ]*[\d-]*")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_NUMBERED = re.compile(r"(?P<name>.*?[^\W\d_].*?)[-_ ]*\(?\d+\)?")


def open_pictures(opening: Opening) -> TableSource:
    """The folder at `opening`."""
    if not opening.path.is_dir():
        raise InvalidSource(f"'{opening.where}' is not a folder.")
    root = opening.path.resolve()
    guess = mapping_of(
        {
            "products": root.name,
            "columns": {"id": "path", "title": "title", "category": ["category"], "images": ["path"]},
            "list_separator": "\n",
        },
        root.name,
    )
    mapping = opening.settle(guess, COLUMNS)
    pictures = opening.pictures(root)
    name, reads = f"pictures:{root.name}", lambda: ((), pictures_in(root))
    return TableSource(name, lambda: _rows(root), mapping, pictures, root, COLUMNS, reads)


def pictures_in(folder: Path) -> list[str]:
    """Paths of all pictures in `folder` and below, in order; what is hidden is none."""
    found = (
        path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()
    )
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))


def _rows(root: Path) -> Iterator[Row]:
    names = pictures_in(root)
    if not names:
        raise InvalidSource(f"{root.name} has no pictures ({', '.join(sorted(ENDINGS))}).")
    alike = Counter(_series(name) for name in names)
    for number, name in enumerate(names, start=1):
        folders = Path(name).parts[:-1]
        series = _series(name)
        category = folders or ((series,) if series and alike[series] > 1 else ())
        yield Row(
            number, {"path": name, "title": _title(Path(name).stem), "category": ">".join(map(_spoken, category))}
        )


def _series(name: str) -> str:
    """The words before the number that a name ends with, "" where it has none."""
    found = _NUMBERED.fullmatch(Path(name).stem)
    return found["name"] if found and not _CAMERA.fullmatch(Path(name).stem) else ""


def _title(stem: str) -> str:
    """The words of a file's name; none where a camera or a counter named it."""
    return "" if _CAMERA.fullmatch(stem) else _spoken(stem)


def _spoken(name: str) -> str:
    return " ".join(_WORDS.findall(name))
