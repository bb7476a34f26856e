"""The late stage: token heads for late interaction, and the tokens of every product.

    python -m models.late.build        (from the root of a workspace; `dvc repro late`)

Reads data/, artifacts/model, artifacts/encoder, artifacts/embeddings and the sections late, split and train; writes
artifacts/late and reports/late.json. While late.enabled is false the folder says just that, and nothing is loaded.
"""

import models.openmp  # noqa: F401 - before torch

# isort: split
import json
import sys
import time
from typing import Any

from catalog.digests import digest_of_sections
from catalog.errors import EtalageError
from catalog.params import load_section
from catalog.splits import SplitParams
from catalog.tables import snapshot_id
from catalog.whole import part_of, put
from catalog.workspace import LATE, LATE_REPORT, MODEL
from models.embeddings import load_embeddings
from models.encoder import Encoder
from models.late.folder import write_disabled
from models.late.params import LateParams
from models.training.params import TrainParams


def main() -> int:
    """Run the stage."""
    params, split, train = (
        load_section("late", LateParams),
        load_section("split", SplitParams),
        load_section("train", TrainParams),
    )
    part = part_of(LATE)
    started = time.monotonic()
    report: dict[str, Any] = {"enabled": params.enabled}
    try:
        if params.enabled:
            from models.dual_encoder import DualEncoder  # torch and the towers take seconds to load
            from models.late.making import Trained, make

            encoder, embeddings = Encoder.load(), load_embeddings()
            trained = Trained(DualEncoder.load(MODEL), encoder, embeddings)
            report |= make(trained, params, split, train, part)
        else:
            write_disabled(part)
    except EtalageError as error:
        print(f"late: {error}", file=sys.stderr)
        return 1
    report["inputs"] = {"snapshot": snapshot_id(), "params": digest_of_sections([params, split, train])}
    report["seconds"] = round(time.monotonic() - started, 1)
    put(part, LATE)
    LATE_REPORT.parent.mkdir(exist_ok=True)
    LATE_REPORT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"late: {sentence(report)}", flush=True)
    return 0


def sentence(report: dict[str, Any]) -> str:
    """What a person wants to know."""
    if not report["enabled"]:
        return "not enabled, so queries are answered without it"
    found = report["history"][-1].get("title_image_recall@10")
    recall = "" if found is None else f", title -> photo recall@10 {found:.3f} on validation by itself"
    return f"{report['products']} products, {report['bytes_a_product']:.0f} bytes each{recall}, {report['seconds']} s"


if __name__ == "__main__":
    sys.exit(main())
