"""A data set of Hugging Face `datasets`: hf://owner/name (with @revision), or a folder that save_to_disk wrote.

All splits are read, one after the other. Pictures are not decoded on the way: their bytes are kept as they are.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import InvalidSource
from catalog.sources.guessing import SAMPLE_ROWS, guess_mapping
from catalog.sources.mapped import TableSource, settled
from catalog.sources.opening import Opening
from catalog.sources.rows import Row, in_words, typed_row

if TYPE_CHECKING:
    from datasets import Dataset

PREFIX = "hf://"
SAVED = ("dataset_dict.json", "state.json")  # what save_to_disk leaves in a folder

_ID = re.compile(r"(?:hf://)?(?:datasets/)?(?P<id>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[\w./-]+))?")


class DatasetRows:
    """All rows of some splits, with the names of labels in place of their numbers."""

    def __init__(self, splits: list["Dataset"]) -> None:
        self._splits = splits

    def columns(self) -> tuple[str, ...]:
        """Names of the columns of any split."""
        return tuple(dict.fromkeys(name for split in self._splits for name in split.column_names))

    def rows(self) -> Iterator[Row]:
        """Every row."""
        number = 0
        for split in self._splits:
            names = {name: feature.names for name, feature in split.features.items() if hasattr(feature, "int2str")}
            for values in split:
                number += 1
                labels = {name: _label(names[name], values[name]) for name in names}
                yield typed_row(number, {**values, **labels})


def open_huggingface(opening: Opening) -> TableSource:
    """The data set at `opening`; the library is imported only here, since that takes seconds."""
    import datasets

    is_folder = opening.path.is_dir()
    found = _ID.fullmatch(opening.where)
    if not is_folder and found is None:
        raise InvalidSource(f"'{opening.where}' is neither a folder nor an id such as hf://owner/name.")
    try:
        if is_folder:
            loaded: Any = datasets.load_from_disk(str(opening.path))
            name = opening.path.resolve().name
        else:
            assert found is not None
            name = found["id"]
            loaded = datasets.load_dataset(name, revision=found["revision"])
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise InvalidSource(f"The data set '{opening.where}' cannot be loaded: {in_words(error)[:200]}.") from None
    splits = list(loaded.values()) if isinstance(loaded, datasets.DatasetDict) else [loaded]
    rows = DatasetRows([_undecoded(split) for split in splits])
    columns = rows.columns()
    guess = guess_mapping(name, columns, islice(rows.rows(), SAMPLE_ROWS))
    root = opening.path.resolve() if is_folder else None
    reads = None if root is None else (lambda: (_files(root), ()))
    return settled(f"huggingface:{name}", rows.rows, columns, guess, opening, root, reads)


def is_saved(folder: Path) -> bool:
    """Whether save_to_disk wrote `folder`."""
    return any((folder / name).is_file() for name in SAVED)


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))


def _undecoded(split: "Dataset") -> "Dataset":
    from datasets import Image, List, Sequence

    for name, feature in split.features.items():
        if isinstance(feature, Image):
            split = split.cast_column(name, Image(decode=False))
        elif isinstance(feature, List | Sequence) and isinstance(feature.feature, Image):
            split = split.cast_column(name, List(Image(decode=False)))
    return split


def _label(names: list[str], value: Any) -> Any:
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None
