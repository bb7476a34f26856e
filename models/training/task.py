"""What the loop trains: a dual encoder on batches of products, each with its picture, title and phrases."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from catalog.products import Product
from catalog.words.terms import TermIndex
from models.dual_encoder import DualEncoder
from models.progress import Display, follow
from models.training.batches import Rows, ahead, batches_per_epoch, copies_of, plan_epoch
from models.training.checkpoint import State
from models.training.contents import Batch, Contents
from models.training.hard_negatives import HardNegatives
from models.training.loop import Step
from models.training.losses import clamp_scale
from models.training.mining import mined
from models.training.objective import Given
from models.training.objectives import build_objectives, total_of
from models.training.order import phase_at, phases_of, tower_epochs
from models.training.params import TrainParams
from models.training.pictures import LivePictures, Pictures
from models.training.resting import encode_in
from models.training.shop_queries import ShopQueries
from models.training.teacher import Teacher
from models.training.texts import Texts
from models.training.validation_score import Validation

_FITTED_ON = 2048  # products whose features set the heads' centre and spread


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
        queries: ShopQueries | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        """`pooled` stands in for `pictures` until the towers' last `params.tail_epochs` epochs: until then the tail
        rests. `queries` join the batches. With a `teacher` the text tower reads queries alone."""
        self.model, self.params = model, params
        self.pictures, self.texts, self.validation, self.display = pictures, texts, validation, display
        self._pooled, self.teacher = pooled, teacher
        self._look_at(pictures if pooled is None else pooled)
        self.objectives = build_objectives(Given(params, model, products))
        self.module: nn.Module = nn.ModuleDict({"model": model, "objectives": self.objectives})
        self._phases = phases_of(params)
        self._phase = self._phases[0]
        self.products = products
        self.contents = Contents(products, terms, params, queries)
        self.groups = [product.group_id for product in products]
        self.categories = [product.category[-1] if product.category else "" for product in products]
        planned = max(2, round(params.batch_size * (1 - params.hard_negatives)))  # others join these
        self.steps = batches_per_epoch(len(products), planned, params.min_steps)
        self.hard = HardNegatives(self.groups, params)

    def fit_heads(self) -> None:
        """Set each head's centre and spread to what its tower gives for training products. Once, before training."""
        self.prepare_texts([*self.validation.all_texts(), *self.texts_of(0)])
        rows = np.random.default_rng(self.params.seed).permutation(len(self.products))[:_FITTED_ON].tolist()
        of_round = self.contents.said.of_round(0)
        said = [phrase.text for row in rows for phrase in of_round[row].phrases] + [
            of_round[row].product for row in rows if of_round[row].product
        ]
        shown = [self.products[row].images[0] for row in rows if self.products[row].images]
        with torch.no_grad():
            if said:
                self.model.text.head.standardise(self.texts.pooled(self.model, said))
            if shown and self.model.image.learns:
                parts = [shown[start : start + 64] for start in range(0, len(shown), 64)]
                loaded = (self._now.load(part, None).to(self.model.device) for part in parts)
                self.model.image.head.standardise(torch.cat([self._now.pooled(self.model, part) for part in loaded]))

    def texts_of(self, epoch: int) -> Iterator[str]:
        """Every text an epoch encodes, with repeats."""
        for row in self.contents.said.of_round(epoch):
            if row.product:
                yield row.product
            if row.title is not None:
                yield row.title
            yield from (phrase.text for phrase in row.phrases)
        if self.contents.queries:
            yield from self.contents.queries.texts
        if not phase_at(self._phases, epoch).labelled:
            yield from filter(None, self.contents.said.masked_of_round(epoch))

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

    def begin(self, epoch: int) -> None:
        """Mine hard negatives where it is time to. See models.training.loop.Task."""
        since = epoch - self.params.warmup_epochs
        if self.params.hard_negatives and since > 0 and since % self.params.mine_every == 0:
            self._enter(epoch)
            self.hard.table = mined(self.model, self.contents, epoch, self._now, self.texts, self.groups)

    def state(self) -> State:
        """See models.training.loop.Task."""
        return {"hard": torch.from_numpy(self.hard.table)}

    def restore(self, state: State) -> None:
        """See models.training.loop.Task."""
        self.hard.table = state["hard"].numpy()

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """See models.training.loop.Task. Every batch draws from a generator of its own."""
        self._enter(epoch)
        plan, labelled = self.plan(epoch), self._phase.labelled

        def one(number: int) -> Batch:
            draw = random.Random(f"{self.params.seed}/{epoch}/{number}")
            rows = self.hard.joined_to(plan[number], random.Random(f"{self.params.seed}/{epoch}/{number}/hard"))
            return self.contents.batch(rows, epoch, draw, self._now, labelled=labelled)

        batches = (one(number) for number in range(start, self.steps))
        return ahead(batches) if isinstance(self._now, LivePictures) else batches

    def _enter(self, epoch: int) -> None:
        """Get ready for what this epoch needs."""
        self._phase = phase_at(self._phases, epoch)
        self.prepare_texts(self.texts_of(epoch))
        image, last = self.model.image, tower_epochs(self.params) - self.params.tail_epochs
        resting = image.mode == "frozen" or not image.learns or epoch < last
        self._look_at(self._pooled if resting and self._pooled is not None else self.pictures)

    def plan(self, epoch: int) -> list[Rows]:
        """The rows of each batch of an epoch."""
        seed, balance = self.params.seed, self.params.balance
        copies = copies_of(self.categories, balance, seed, epoch) if balance else None
        return plan_epoch(self.groups, self.steps, seed, epoch, copies)

    def _look_at(self, pictures: Pictures) -> None:
        self._now = pictures
        self._encode = torch.compile(pictures.encode) if self.params.compile else pictures.encode

    def prepare_texts(self, texts: Iterable[str]) -> None:
        """Have a frozen backbone read what it has not read yet."""
        texts = list(texts)
        follow(self.display, "reading texts", self.texts.prepare(texts), self.texts.missing(texts), "texts")
        if self.teacher is not None:
            missing = self.teacher.missing(texts)
            follow(self.display, "the teacher reads", self.teacher.prepare(texts), missing, "texts")

    def step(self, batch: Batch) -> Step:
        """See models.training.loop.Task."""
        encoded = encode_in(self._phase, self.model, batch, self.texts, self._encode, self.teacher)
        total, parts = total_of(self.objectives, encoded)
        return Step(total, {f"loss_{name}": value for name, value in parts.items()}, len(batch.rows))

    def updated(self) -> None:
        """Keep the temperature within bounds."""
        clamp_scale(self.model.logit_scale)

    def score(self) -> Mapping[str, float]:
        """See models.training.loop.Task."""
        found = self.validation.score(self.model, self._now, self.texts, self.teacher)
        return {**found, "temperature": float(1 / self.model.logit_scale.exp())}
