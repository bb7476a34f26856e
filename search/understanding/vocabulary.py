"""What a reader knows: the facet values of the catalogue, their names, and where the text encoder puts them.

vocabulary.json   facets with counts, names, known words, currencies, calibration, encoder
vocabulary.npz    vectors of the names [N, D] and of what the values look like [V, D], float16

Legend: V facet values, N names with a vector, D width of the space.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import read_arrays
from catalog.errors import NotReady
from search.understanding.understood import Facet

DOCUMENT = "vocabulary.json"
VECTORS = "vocabulary.npz"
FORMAT = 1

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Vocabulary:
    """`names`: (name, number of its facet), ascending by number; row i of `vectors` belongs to names[i].

    `plain_names` have no vector: they are read only where they are written (brands). `looks`: of each facet the mean
    direction of its products away from all products, zero rows where there are none. `calibration`: see
    search.understanding.neighbours. `currencies` of the priced products; () when nothing is priced. `languages`
    that titles are in.
    """

    encoder: str
    facets: tuple[Facet, ...]
    counts: tuple[int, ...]
    names: tuple[tuple[str, int], ...]
    plain_names: tuple[tuple[str, int], ...]
    vectors: Floats
    looks: Floats
    calibration: tuple[float, ...]
    known_words: frozenset[str]
    currencies: tuple[str, ...]
    languages: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write both files into `folder`; the same vocabulary gives the same bytes of JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            "format": FORMAT,
            "encoder": self.encoder,
            "facets": [[*facet, count] for facet, count in zip(self.facets, self.counts, strict=True)],
            "names": self.names,
            "plain_names": self.plain_names,
            "calibration": self.calibration,
            "known_words": sorted(self.known_words),
            "currencies": self.currencies,
            "languages": self.languages,
        }
        (folder / DOCUMENT).write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
        np.savez(folder / VECTORS, vectors=self.vectors.astype(np.float16), looks=self.looks.astype(np.float16))

    @classmethod
    def load(cls, folder: Path) -> "Vocabulary":
        """Read them. Raises NotReady when one is missing or of another format."""
        try:
            document: dict[str, Any] = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
            arrays = read_arrays(folder / VECTORS)
            vectors, looks = arrays["vectors"].astype(np.float32), arrays["looks"].astype(np.float32)
        except FileNotFoundError as error:
            raise NotReady(f"{error.filename} is missing: run the tune stage.") from None
        if document.get("format") != FORMAT:
            raise NotReady(f"{folder / DOCUMENT} has another format than {FORMAT}: run the tune stage.")
        return cls(
            encoder=document["encoder"],
            facets=tuple((field, value) for field, value, _ in document["facets"]),
            counts=tuple(count for _, _, count in document["facets"]),
            names=tuple((name, number) for name, number in document["names"]),
            plain_names=tuple((name, number) for name, number in document["plain_names"]),
            vectors=vectors,
            looks=looks,
            calibration=tuple(document["calibration"]),
            known_words=frozenset(document["known_words"]),
            currencies=tuple(document["currencies"]),
            languages=tuple(document["languages"]),
        )
