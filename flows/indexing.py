"""The release's collection in Milvus: filled from the snapshot, read back, and compared with exact search."""

import numpy as np
from numpy.typing import NDArray

from catalog.errors import NotReady
from catalog.media import MediaStore
from catalog.products import Product
from catalog.tables import read_products, read_terms
from catalog.words.terms import TermIndex
from catalog.workspace import EVALUATION
from evaluation.gates.evidence import Counts, Fidelity
from evaluation.gates.fidelity import filters_by_selectivity, index_fidelity, own_vectors, own_words
from evaluation.queries.judgements import read_evaluation_set
from models.embeddings import load_embeddings
from models.encoder import Encoder
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from search.rows import Rows, build_rows
from search.stumps import clear_stumps

FIDELITY_QUERIES = 24
OWN_PRODUCTS = 48  # whose stored words and vectors are held against their own
VECTOR_LEGS = ("dense", "image")  # both ask with the query's own vector; "text" would ask the same way


def snapshot_rows() -> tuple[list[Product], Rows]:
    """The products of data/ and what their collection must hold."""
    products, metric = read_products(), SearchLogic.load().ranking.matching.metric
    return products, build_rows(products, load_embeddings(), TermIndex(read_terms()), metric)


def fill(collections: MilvusStore, rows: Rows, release: str) -> str:
    """Write the release's collection and read it back. Returns its name; doing it again changes nothing.

    Raises NotReady when Milvus does not answer or does not hold what was written.
    """
    clear_stumps(collections.uri)
    name = collections.write(rows, release)
    stored = collections.rows(release)
    if stored.digest != rows.digest:
        raise NotReady(f"Collection {name} does not hold what was written into it: run `etalage retrain` again.")
    return name


def count(collections: MilvusStore, products: list[Product], release: str) -> Counts:
    """Rows and duplicates of the collection, against the snapshot's products."""
    ids = collections.rows(release).ids
    return Counts(products=len(products), collection_rows=len(ids), duplicate_ids=len(ids) - len(set(ids)))


def fidelity(collections: MilvusStore, products: list[Product], rows: Rows, release: str) -> Fidelity:
    """overlap@10 of Milvus' own search with exact search, for queries of the evaluation set, also under filters; and
    whether what it stores of some products is what their own words and pictures give.
    """
    vectors = query_vectors()
    exact = MemoryCollection(rows, name="exact", release=release)
    step = max(1, len(products) // OWN_PRODUCTS)
    some = products[::step][:OWN_PRODUCTS]
    with collections.asked(release) as collection:
        queries = dict.fromkeys(VECTOR_LEGS, vectors)
        found = index_fidelity(exact, collection, queries, filters_by_selectivity(products))
        words = own_words(collection, some)
    stored = collections.rows(release)  # not before: the embedded store has one user at a time
    own = own_vectors(stored, Encoder.load(), some, MediaStore().read)
    return found.model_copy(update={"own_words": words, "own_vectors": own})


def query_vectors() -> NDArray[np.float32]:
    """Unit vectors [B, D] of texts spread evenly over the evaluation set."""
    texts = sorted({query.text for query in read_evaluation_set(EVALUATION).queries if query.text})
    step = max(1, len(texts) // FIDELITY_QUERIES)
    return Encoder.load().encode_text(texts[::step][:FIDELITY_QUERIES])
