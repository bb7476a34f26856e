"""Stage `train`: fine-tune the dual encoder on the snapshot's training split.

    python -m models.train

Reads data/ and the sections model, split and train of params.yaml. Writes artifacts/model, reports/train.json and
reports/curves.csv. Keeps its state in artifacts/checkpoint: killed at any moment and started again, it goes on and
ends with the same weights.
"""

import models.openmp  # noqa: F401 - before torch

# isort: split
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from catalog.digests import digest_of
from catalog.errors import EtalageError, InvalidSnapshot
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Product
from catalog.splits import SplitParams, digest_of_products, split_products
from catalog.tables import read_interactions, read_judgements, read_products, read_terms, snapshot_id
from catalog.whole import part_of, put
from catalog.words.terms import TermIndex
from catalog.workspace import CHECKPOINT, CURVES, MEDIA, MODEL, TRAIN_REPORT
from models.dual_encoder import DualEncoder
from models.params import ModelParams
from models.progress import Display, display, follow
from models.training.checkpoint import Checkpoint, RunKey, digest_of_code
from models.training.curves import write_curves
from models.training.device import choose_bf16, choose_device, set_seeds
from models.training.feasible import Attempt, check_feasible
from models.training.features import FeatureStore, untrained
from models.training.loop import Outcome, Plan, fit
from models.training.order import all_epochs, check_order, phases_of, tower_epochs
from models.training.pairs import TrainingTexts
from models.training.params import TrainParams
from models.training.pictures import (
    CachedPictures,
    LivePictures,
    Pictures,
    PooledPictures,
    fill_pooled,
    fill_trunk,
    trunk_folder,
    view_key,
)
from models.training.settings import TrainSettings
from models.training.shop_queries import ShopQueries
from models.training.task import DualEncoderTask
from models.training.teacher import Teacher
from models.training.texts import open_texts, texts_folder
from models.training.validation_score import Validation

CODE = (Path(__file__).parent, Path(__file__).parent.parent / "catalog")


@dataclass(frozen=True)
class Sections:
    """The sections of params.yaml this stage reads."""

    model: ModelParams
    split: SplitParams
    train: TrainParams

    @classmethod
    def load(cls) -> "Sections":
        """From params.yaml."""
        return cls(
            load_section("model", ModelParams), load_section("split", SplitParams), load_section("train", TrainParams)
        )

    def digest(self) -> str:
        """12 hex digits of all of them."""
        return digest_of({name: getattr(self, name).model_dump(mode="json") for name in ("model", "split", "train")})


def train(sections: Sections, show: Display) -> dict[str, Any]:
    """Train on the snapshot in data/ and write the model, its report and its curves. Returns the report.

    Raises InvalidSnapshot when fewer than two products are left for training, InvalidParams when they cannot teach
    what the params ask for, TrainingDiverged.
    """
    params = sections.train
    check_order(sections.model, params)
    device, shared = choose_device(params.device), TrainSettings().features
    cache = shared or CHECKPOINT
    teacher = None
    if params.teacher is not None:
        teacher = Teacher.open(Path(params.teacher), sections.model, cache, device)
    snapshot = snapshot_id()
    products = read_products()
    split = split_products(products, sections.split)
    if len(split["train"]) < 2:
        raise InvalidSnapshot(f"The training split has {len(split['train'])} products; training needs two or more.")
    terms = TermIndex(read_terms(), products)
    queries = shop_queries(split["train"], params)
    check_feasible(Attempt(sections.model, params, split["train"], queries))

    set_seeds(params.seed, device)
    model = DualEncoder.build(sections.model, params.temperature)
    model.text.fit(chain(TrainingTexts(split["train"], terms, params).of_all_rounds(), queries.texts))
    taught_by = "" if teacher is None else f" taught by {teacher.name}"
    key = RunKey(params=sections.digest(), data=snapshot + taught_by, code=digest_of_code(CODE))
    checkpoint = Checkpoint(CHECKPOINT, key, show.say)
    features = trunk_folder(model, cache) if teacher is None else teacher.trunk_folder(cache)
    if teacher is not None:
        model = teacher.with_queries_of(model)
    texts_in, pooled_in = own_folders(model, checkpoint, shared)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    validation = Validation(split["validation"], terms, params)
    shown = picture_keys(split["train"], params) + [media for media in validation.pictures if media is not None]
    pictures = open_pictures(model, features, shown, show, MediaStore(MEDIA))
    texts = open_texts(model, texts_in)
    pooled = open_pooled(model, pooled_in, pictures, shown, show)
    task = DualEncoderTask(
        model, split["train"], terms, params, pictures, texts, validation, show, pooled, queries, teacher
    )
    task.fit_heads()
    plan = plan_of(params, device, tail_rests=model.image.mode == "tail" and params.tail_epochs > 0)
    show.say(
        f"Training on {len(split['train']):,} products in {task.steps} batches an epoch, "
        f"{len(validation.texts):,} products for validation, on {device.type} in {'bf16' if plan.bf16 else 'fp32'}."
    )
    outcome = fit(task, plan, checkpoint, show)

    save_whole(model if teacher is None else teacher.asked_by(model.text, sections.model), MODEL)
    report = {
        "snapshot": snapshot,
        "params": key.params,
        "code": key.code,
        "model": sections.model.model_dump(mode="json"),
        "teacher": teacher.name if teacher is not None else None,
        "products": {name: len(rows) for name, rows in split.items()},
        "trained_on": digest_of_products(task.products),
        "without_picture": sum(not product.images for product in split["train"]),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "precision": "bf16" if plan.bf16 else "fp32",
        **numbers_of(outcome),
    }
    write_curves(outcome.history, CURVES)
    TRAIN_REPORT.parent.mkdir(parents=True, exist_ok=True)
    TRAIN_REPORT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    checkpoint.finish(keep=[features] if teacher is None else [features, teacher.store.folder])
    return report


def shop_queries(products: Sequence[Product], params: TrainParams) -> ShopQueries:
    """The queries of the tables that `train.queries` names."""
    return ShopQueries(
        products,
        read_judgements() if "judgements" in params.queries else [],
        read_interactions() if "interactions" in params.queries else [],
        params.actions,
    )


def picture_keys(products: Sequence[Product], params: TrainParams) -> list[str]:
    """Keys of every view of every picture that training may ask for."""
    images = [media for product in products for media in product.images[: params.pictures]]
    return [view_key(media, view) for view in range(params.views) for media in images]


def open_pictures(model: DualEncoder, folder: Path, keys: Sequence[str], show: Display, media: MediaStore) -> Pictures:
    """Cached trunk features of all `keys`, computed where they are missing; or live pixels when the trunk trains."""
    if model.image.live and model.image.learns:
        return LivePictures(model, media, TrainSettings().decode_threads)
    store = FeatureStore.open(folder)
    missing = len(store.missing(keys))
    follow(show, "looking at pictures", fill_trunk(model, store, keys, media), missing, "pictures")
    if missing:
        show.say(f"The frozen part of the image tower looked at {missing:,} pictures.")
    return CachedPictures(store)


def open_pooled(
    model: DualEncoder, folder: Path, pictures: Pictures, keys: Sequence[str], show: Display
) -> Pictures | None:
    """What the tail gives before it trains, for all `keys`; None when pixels are live."""
    if not isinstance(pictures, CachedPictures):
        return None
    store = FeatureStore.open(folder, "float32")
    missing = len(store.missing(keys))
    follow(show, "pooling pictures", fill_pooled(model, store, pictures, keys), missing, "pictures")
    return PooledPictures(store)


def own_folders(model: DualEncoder, checkpoint: Checkpoint, shared: Path | None) -> tuple[Path, Path]:
    """Where the outputs of the untrained text tower and of the untrained tail are kept.

    Without `shared` this run has them for itself, and those of other runs go. To be asked before training.
    """
    if shared is not None:
        trunk = trunk_folder(model, shared).name
        return texts_folder(model, shared), shared / f"pooled-{untrained(model.image, trunk)}"
    folder = checkpoint.folder / f"frozen-{digest_of(asdict(checkpoint.key))}"
    for other in checkpoint.folder.glob("frozen-*"):
        if other != folder:
            shutil.rmtree(other)
    return folder / "texts", folder / "pooled"


def plan_of(params: TrainParams, device: torch.device, *, tail_rests: bool) -> Plan:
    """How the loop trains. `tail_rests`: until the towers' last epochs. Training does not stop early before everything
    has begun to learn.
    """
    begins = [phase.first for phase in phases_of(params)]
    if tail_rests:
        begins.append(max(0, tower_epochs(params) - params.tail_epochs))
    return Plan(
        epochs=all_epochs(params),
        device=device,
        accumulate=params.accumulate,
        warmup_fraction=params.warmup_fraction,
        gradient_clip=params.gradient_clip,
        weight_decay=params.weight_decay,
        average=params.average,
        patience=params.patience,
        restarts=tuple(phase.first for phase in phases_of(params)[1:]),
        patient_until=max(begins),
        bf16=choose_bf16(params.precision, device),
        checkpoint_seconds=TrainSettings().checkpoint_seconds,
    )


def numbers_of(outcome: Outcome) -> dict[str, Any]:
    """What the report says of the training itself."""
    best = outcome.history[(outcome.best_epoch or len(outcome.history)) - 1]
    return {
        "score": outcome.best_score,
        "best_epoch": outcome.best_epoch or len(outcome.history),
        "best": best,
        "epochs": len(outcome.history),
        "stopped_early": outcome.stopped_early,
        "seconds": round(outcome.seconds, 1),
        "products_per_second": round(outcome.samples / max(1e-9, outcome.seconds), 1),
    }


def save_whole(model: DualEncoder, folder: Path) -> None:
    """Save beside `folder`, then put it in its place: there is never half a model."""
    part = part_of(folder)
    model.save(part)
    put(part, folder)


def main() -> int:
    """Run the stage."""
    try:
        with display() as show:
            report = train(Sections.load(), show)
    except EtalageError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train: stopped; the same command goes on from the last checkpoint.", file=sys.stderr)
        return 130
    score = "no validation score" if report["score"] is None else f"validation score {report['score']:.3f}"
    print(
        f"train: {score} after epoch {report['best_epoch']} of {report['epochs']}, {report['seconds']:.0f} s, "
        f"{report['products_per_second']:.0f} products/s -> {MODEL}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
