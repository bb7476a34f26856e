"""A folder with a table (CSV, TSV, JSON lines, parquet) and pictures, read through a mapping file."""

from pathlib import Path

from catalog.errors import InvalidSource
from catalog.sources.mapped import TableSource, only
from catalog.sources.mapping import FILE_NAME, Mapping, load_mapping
from catalog.sources.pictures import LocalPictures
from catalog.sources.rows import read_rows
from catalog.sources.side_files import inside, table_path


class FolderSource(TableSource):
    """The catalogue in `folder`. Without a mapping, mapping.yaml in the folder is read.

    Nothing outside the folder (and `media`, where one is named) is ever opened: neither by ../ nor by an absolute path
    nor through a link.
    """

    def __init__(self, folder: Path, mapping: Mapping | None = None, media: Path | None = None) -> None:
        if not folder.is_dir():
            raise InvalidSource(f"{folder} is not a folder.")
        root = folder.resolve()
        if mapping is None:
            if not (folder / FILE_NAME).is_file():
                raise InvalidSource(f"{folder} has no {FILE_NAME}: add one, or name a mapping file.")
            mapping = load_mapping(folder / FILE_NAME)
        known = mapping
        pictures = LocalPictures(root, media or inside(root, known.media))
        path = table_path(root, known.products, known, known.all_columns())
        super().__init__(
            f"folder:{root.name}",
            lambda: read_rows(path, known.encoding, known.delimiter),
            known,
            pictures,
            root,
            reads=only(path),
        )
