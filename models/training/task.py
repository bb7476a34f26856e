"""What the loop trains: a dual encoder on batches of products, each with its picture, title and phrases.

Legend: B products in a batch, U distinct texts in it, T texts of one kind, D width.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from catalog.phrases import Phrase
from catalog.products import Product
from catalog.terms import TermIndex
from models.dual_encoder import DualEncoder
from models.progress import Display, follow
from models.training.batches import ahead, batches_per_epoch, plan_epoch
from models.training.loop import Step
from models.training.losses import LOSSES, Pairing, clamp_scale, total_loss
from models.training.pairs import TrainingTexts, TruthTable
from models.training.params import TrainParams
from models.training.pictures import MIRRORED, LivePictures, Pictures
from models.training.texts import Texts
from models.training.validation_score import Validation

_FITTED_ON = 2048  # products whose features set the heads' centre and spread


@dataclass(frozen=True)
class Batch:
    """B products and what is said of them. All rows are numbers within the batch."""

    titles: list[str]  # T1
    title_true: Tensor  # bool [T1, B]
    phrases: list[Phrase]  # T2
    phrase_true: Tensor  # bool [T2, B]
    product_texts: list[str]  # B
    pictures: Tensor | None  # of the products that have one, as Pictures.load gave them
    shown: Tensor  # rows of the products that have a picture
    sees_text: Tensor  # bool [B]: fusion sees the words
    sees_image: Tensor  # bool [B]: fusion sees the picture


class DualEncoderTask:
    """See models.training.loop.Task."""

    def __init__(
        self,
        model: DualEncoder,
        products: Sequence[Product],
        terms: TermIndex,
        params: TrainParams,
        pictures: Pictures,
        texts: Texts,
        validation: Validation,
        display: Display,
        pooled: Pictures | None = None,
    ) -> None:
        """`pooled` stands in for `pictures` until the last `params.tail_epochs` epochs: until then the tail rests."""
        self.model, self.params = model, params
        self.pictures, self.texts, self.validation, self.display = pictures, texts, validation, display
        self._pooled = pooled
        self._look_at(pictures if pooled is None else pooled)
        self.loss = LOSSES[params.loss]().to(model.device)
        self.module: nn.Module = nn.ModuleDict({"model": model, "loss": self.loss})
        self.products = products
        self.said = TrainingTexts(products, terms, params)
        self.truth = TruthTable(products, terms, params.languages)
        self.groups = [product.group_id for product in products]
        self.steps = batches_per_epoch(len(products), params.batch_size, params.min_steps)

    def fit_heads(self) -> None:
        """Set each head's centre and spread to what its tower gives for training products. Once, before training."""
        self.prepare_texts([*self.validation.all_texts(), *self.texts_of(0)])
        rows = np.random.default_rng(self.params.seed).permutation(len(self.products))[:_FITTED_ON].tolist()
        of_round = self.said.of_round(0)
        said = [phrase.text for row in rows for phrase in of_round[row].phrases] + [
            of_round[row].product for row in rows if of_round[row].product
        ]
        shown = [self.products[row].images[0] for row in rows if self.products[row].images]
        with torch.no_grad():
            if said:
                self.model.text.head.standardise(self.texts.pooled(self.model, said))
            if shown:
                parts = [shown[start : start + 64] for start in range(0, len(shown), 64)]
                loaded = (self._now.load(part, None).to(self.model.device) for part in parts)
                self.model.image.head.standardise(torch.cat([self._now.pooled(self.model, part) for part in loaded]))

    def texts_of(self, epoch: int) -> Iterator[str]:
        """Every text an epoch encodes, with repeats."""
        for row in self.said.of_round(epoch):
            if row.product:
                yield row.product
            if row.title is not None:
                yield row.title
            yield from (phrase.text for phrase in row.phrases)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Heads, fusion, temperature and loss at the full rate, backbones at theirs; no decay of biases and gains."""
        backbone = {id(p) for tower in (self.model.text, self.model.image) for p in tower.backbone_parameters()}
        groups = []
        for of_backbone, rate in ((False, self.params.learning_rate), (True, self.params.backbone_learning_rate)):
            for decays in (True, False):
                chosen = [
                    p
                    for p in self.module.parameters()
                    if p.requires_grad and (id(p) in backbone) == of_backbone and (p.ndim > 1) == decays
                ]
                if chosen:
                    groups.append(
                        {"params": chosen, "lr": rate, "weight_decay": self.params.weight_decay if decays else 0.0}
                    )
        return groups

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """See models.training.loop.Task. Every batch draws from a generator of its own."""
        self.prepare_texts(self.texts_of(epoch))
        resting = self.model.image.mode == "frozen" or epoch < self.params.epochs - self.params.tail_epochs
        self._look_at(self._pooled if resting and self._pooled is not None else self.pictures)
        plan = plan_epoch(self.groups, self.steps, self.params.seed, epoch)
        batches = (
            self._batch(plan[number], epoch, random.Random(f"{self.params.seed}/{epoch}/{number}"))
            for number in range(start, self.steps)
        )
        return ahead(batches) if isinstance(self._now, LivePictures) else batches

    def _look_at(self, pictures: Pictures) -> None:
        self._now = pictures
        self._encode = torch.compile(pictures.encode) if self.params.compile else pictures.encode

    def prepare_texts(self, texts: Iterable[str]) -> None:
        """Have a frozen backbone read what it has not read yet."""
        texts = list(texts)
        follow(self.display, "reading texts", self.texts.prepare(texts), self.texts.missing(texts), "texts")

    def _batch(self, rows: np.ndarray, epoch: int, draw: random.Random) -> Batch:
        said = [self.said.of_round(epoch)[row] for row in rows.tolist()]
        titled = np.array([number for number, row in enumerate(said) if row.title is not None], dtype=np.int64)
        phrases = [phrase for row in said for phrase in row.phrases]
        product_texts = [row.product for row in said]
        keys = {number: key for number, row in enumerate(rows.tolist()) if (key := self._picture(row, draw))}
        has_text = [bool(text) for text in product_texts]
        sees = [_seen(has_text[row], row in keys, self.params.modality_dropout, draw) for row in range(len(rows))]
        return Batch(
            titles=[said[number].title or "" for number in titled],
            title_true=torch.from_numpy(self.truth.of_titles(rows[titled], rows)),
            phrases=phrases,
            phrase_true=torch.from_numpy(self.truth.of_phrases(phrases, rows)),
            product_texts=product_texts,
            pictures=self._now.load(list(keys.values()), draw) if keys else None,
            shown=torch.tensor(list(keys), dtype=torch.int64),
            sees_text=torch.tensor([text for text, _ in sees]),
            sees_image=torch.tensor([image for _, image in sees]),
        )

    def _picture(self, row: int, draw: random.Random) -> str | None:
        images = self.products[row].images[: self.params.pictures]
        if not images:
            return None
        return draw.choice(images) + (MIRRORED if self.params.views == 2 and draw.random() < 0.5 else "")

    def step(self, batch: Batch) -> Step:
        """See models.training.loop.Task."""
        model, device = self.model, self.model.device
        distinct = list(dict.fromkeys([*batch.titles, *(p.text for p in batch.phrases), *batch.product_texts]))
        place = {text: number for number, text in enumerate(distinct)}
        known = [text for text in distinct if text]
        vectors = model.text.project(self._blurred(self.texts.pooled(model, known)))
        if len(known) < len(distinct):  # a product without words: a zero row that fusion does not look at
            vectors = torch.zeros(len(distinct), model.dim, device=device, dtype=vectors.dtype).index_copy(
                0, torch.tensor([place[text] for text in known], device=device), vectors
            )

        def of(lines: Sequence[str]) -> Tensor:
            return vectors[torch.tensor([place[line] for line in lines], dtype=torch.int64, device=device)]

        shown = batch.shown.to(device)
        images = torch.zeros(len(batch.product_texts), model.dim, device=device)
        seen = images[shown]
        if batch.pictures is not None:
            seen = self._encode(model, batch.pictures.to(device, non_blocking=True)).float()
            images = images.index_copy(0, shown, seen)
        fused = model.fuse(of(batch.product_texts), images, batch.sees_text.to(device), batch.sees_image.to(device))

        titles, phrases = of(batch.titles), of([phrase.text for phrase in batch.phrases])
        title_true, phrase_true = batch.title_true.to(device), batch.phrase_true.to(device)
        weights = self.params.weights
        pairings = [
            Pairing("title_image", titles, seen, title_true[:, shown], weights.title_image),
            Pairing("phrase_image", phrases, seen, phrase_true[:, shown], weights.phrase_image),
            Pairing("title_product", titles, fused, title_true, weights.title_product),
            Pairing("phrase_product", phrases, fused, phrase_true, weights.phrase_product),
        ]
        total, parts = total_loss(pairings, model.logit_scale, self.loss)
        return Step(total, {f"loss_{name}": value for name, value in parts.items()}, len(batch.product_texts))

    def _blurred(self, pooled: Tensor) -> Tensor:
        """[T, W] of a frozen backbone with noise, so that the head keeps near what the backbone puts near."""
        if self.params.text_noise == 0 or self.model.text.mode == "finetuned":
            return pooled
        return pooled + self.params.text_noise * pooled.std() * torch.randn_like(pooled)

    def updated(self) -> None:
        """Keep the temperature within bounds."""
        clamp_scale(self.model.logit_scale)

    def score(self) -> Mapping[str, float]:
        """See models.training.loop.Task."""
        found = self.validation.score(self.model, self._now, self.texts)
        return {**found, "temperature": float(1 / self.model.logit_scale.exp())}


def _seen(has_text: bool, has_image: bool, dropout: float, draw: random.Random) -> tuple[bool, bool]:
    """What fusion sees of a product that has these modalities: with chance `dropout` only one of two."""
    if not (has_text and has_image) or draw.random() >= dropout:
        return has_text, has_image
    return (True, False) if draw.random() < 0.5 else (False, True)
