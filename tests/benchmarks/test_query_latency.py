"""The floor of the latency benchmark is a real search, and its table has a cell for every part."""

import numpy as np

from benchmarks.query_latency import PARTS, floor, line
from search.query import Query
from tests.search.worlds import WordEncoder, catalogue, embeddings_of, engine_of


def test_the_floor_finds_the_ten_nearest_of_all_catalogue() -> None:
    encoder, embeddings = WordEncoder(), embeddings_of(catalogue(), WordEncoder())
    for query in (Query(text="red dress"), Query(images=(b"blue shirt",)), Query(text="blue", images=(b"red dress",))):
        found = floor(query, encoder, embeddings)
        asked = [*([query.text] if query.text else []), *(image.decode() for image in query.images)]
        cosines = embeddings.fused @ encoder.encode_text(asked).sum(axis=0)
        assert np.allclose(cosines[found], np.sort(cosines)[::-1][:10])


def test_a_line_tells_every_part_and_the_ratio() -> None:
    encoder, embeddings = WordEncoder(), embeddings_of(catalogue(), WordEncoder())
    told = line("words", [Query(text="red dress")], engine_of(), encoder, embeddings, rounds=2)
    cells = told.strip("| ").split(" | ")
    assert cells[0] == "words"
    assert len(cells) == 1 + len(PARTS) + 2
    assert all(float(cell) >= 0 for cell in cells[1:])
