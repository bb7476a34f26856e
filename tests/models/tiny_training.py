"""A DualEncoderTask on tiny towers and a tiny shop, and a bare loop that trains it."""

from pathlib import Path

import torch

from catalog.media import MediaStore
from catalog.products import Product
from catalog.words.terms import TermIndex
from models.dual_encoder import DualEncoder
from models.progress import Lines
from models.train import picture_keys
from models.training.features import FeatureStore
from models.training.params import TrainParams
from models.training.pictures import CachedPictures, fill_trunk
from models.training.shop_queries import ShopQueries
from models.training.task import DualEncoderTask
from models.training.teacher import Teacher
from models.training.texts import RememberedTexts
from models.training.validation_score import Validation
from tests.models.tiny_towers import TERMS, tiny_model, tiny_shop


def a_task(
    folder: Path,
    products: list[Product] | None = None,
    model: DualEncoder | None = None,
    shop_queries: ShopQueries | None = None,
    **params: object,
) -> DualEncoderTask:
    chosen = TrainParams.model_validate(
        {"batch_size": 8, "min_steps": 2, "modality_dropout": 0.3, "text_noise": 0.05, **params}
    )
    shop = tiny_shop(32, folder / "media") if products is None else products
    model, teacher = model or tiny_model(), None
    if chosen.teacher is not None:  # any name will do: it is drawn here
        large = tiny_model(seed=9, **model.params.model_dump())
        teacher = Teacher(large, "tiny", FeatureStore.open(folder / "teacher", "float32"))
        model = teacher.with_queries_of(model)
    store = FeatureStore.open(folder / "features")
    list(fill_trunk(model, store, picture_keys(shop, chosen), MediaStore(folder / "media")))
    index = TermIndex(TERMS, shop)
    texts = RememberedTexts(model, FeatureStore.open(folder / "texts", "float32"))
    pictures, validation = CachedPictures(store), Validation(shop[:12], index, chosen)
    task = DualEncoderTask(
        model, shop, index, chosen, pictures, texts, validation, Lines(), queries=shop_queries, teacher=teacher
    )
    task.fit_heads()
    return task


def learn(task: DualEncoderTask, epochs: int) -> list[float]:
    optimizer = torch.optim.AdamW(task.parameter_groups())
    losses = []
    for epoch in range(epochs):
        for batch in task.batches(epoch, 0):
            loss = task.step(batch).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            task.updated()
            losses.append(loss.item())
    return losses
