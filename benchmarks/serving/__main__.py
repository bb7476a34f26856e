"""What a query costs over HTTP, beside what a shop would write by hand and beside the least that it could cost.

    python -m benchmarks.serving           three rounds
    python -m benchmarks.serving short     one round of fewer queries: to see that it works

From the root of a workspace with a finished `etalage retrain`. Starts the champion's service as `etalage serve` does,
with its cache of query vectors off, and a search by hand (peer.py), each on a port of this machine, and asks both the
same queries of the held-out products with 1 to 64 clients. The floor is encoder and numpy alone, in process. Prints
medians of the rounds, and ratios within a round; then the gain of the cache, start-up and memory.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.serving.asked import workspace_queries
from benchmarks.serving.measure import Bench
from benchmarks.serving.peer_store import write_store
from benchmarks.serving.plan import PLANS, PlanName
from benchmarks.serving.report import difference, report
from benchmarks.serving.servers import require_todays_code
from bento.settings import ServiceSettings
from catalog.errors import EtalageError
from catalog.tables import read_products, read_terms
from models.embeddings import load_embeddings
from models.encoder import Encoder, cores
from search.logic import SearchLogic


def main(name: PlanName) -> None:
    """Measure and print."""
    plan, release = PLANS[name], require_todays_code()
    products, embeddings = read_products(), load_embeddings()
    encoder, logic = Encoder.load(threads=ServiceSettings().encoder_threads), SearchLogic.load()
    queries = workspace_queries(products, read_terms(), plan.queries)
    print(f"{release}: {len(products)} products, {cores()} cores, {plan.rounds} rounds, times in ms", flush=True)
    with tempfile.TemporaryDirectory(prefix="etalage-serving-") as folder:
        scratch, store = Path(folder), Path(folder) / "by_hand.db"
        write_store(store, embeddings, {product.id: product.title for product in products})
        measured = Bench(plan, queries, encoder, embeddings, scratch, store).measure()
    print(difference(logic, measured.overlap), report(measured, plan), sep="\n\n")


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["full"]
    if len(arguments) > 1 or arguments[0] not in PLANS:
        sys.exit("usage: python -m benchmarks.serving [short]")
    try:
        main("short" if arguments[0] == "short" else "full")
    except EtalageError as error:
        sys.exit(str(error))
