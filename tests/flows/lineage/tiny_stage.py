"""What stands for all stages up to `tune` in the tests of a sweep: the tiny encoder "trained" in a second.

python -m tests.flows.lineage.tiny_stage          (in a workspace)

A learning rate over TOO_MUCH diverges, as training does. While a file `slow` lies in the workspace it does not end,
and with a file `broken` it crashes.
"""

import json
import sys
import time
from pathlib import Path

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.tables import read_products, snapshot_id
from catalog.workspace import ENCODER, TUNE_REPORT, TUNED
from evaluation.params import TuneParams
from models.embed import embed_products
from models.embeddings import save_embeddings
from models.params import ModelParams
from models.training.params import TrainParams
from search.logic import SearchLogic
from search.ranking import Ranking
from tests.bento.tiny_encoder import write_tiny_encoder

TOO_MUCH = 0.5


def main() -> int:
    """Write encoder, embeddings, ranking and report."""
    load_section("model", ModelParams)
    rate, tune = load_section("train", TrainParams).learning_rate, load_section("tune", TuneParams)
    print("tiny stage begins", flush=True)
    if rate > TOO_MUCH:
        print(f"tune: with a learning rate of {rate:g} the loss is nan.", file=sys.stderr)
        return 1
    if Path("broken").exists():
        raise RuntimeError("out of memory")
    while Path("slow").exists():
        time.sleep(0.05)
    encoder = write_tiny_encoder(ENCODER)
    products = read_products()
    vectors = embed_products(products, MediaStore(), encoder, snapshot_id())
    save_embeddings(vectors)
    SearchLogic(ranking=Ranking(weights={**Ranking().weights, **tune.weights})).save(TUNED)
    TUNE_REPORT.parent.mkdir(exist_ok=True)
    TUNE_REPORT.write_text(json.dumps({"rate": rate}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
