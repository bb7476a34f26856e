"""A finished dual encoder, at rest, that teaches a query tower of its own: `train.teacher`.

    teacher = Teacher.open(Path("artifacts/teacher"), model_params, checkpoint_folder, device)
    student = teacher.with_queries_of(model)     # one model in which only the query tower learns
    taught = teacher.asked_by(model.text, model_params)     # the finished one, to be saved

Legend: T texts, D width of the space.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from catalog.errors import InvalidParams
from models.dual_encoder import DualEncoder, saved_params
from models.encoder_folder import fingerprint
from models.params import ModelParams
from models.query_tower import QueryTower
from models.towers.tower import TextTower
from models.training.features import Features, FeatureStore, fill, text_key
from models.training.pictures import trained_trunk_folder

CHUNK = 64  # texts at once
_THE_SPACE = ("dim", "space", "matryoshka", "fusion")  # of ModelParams: what a query must agree on with the products


class Teacher:
    """`model`, and its vectors of texts, kept in a store by content."""

    def __init__(self, model: DualEncoder, name: str, store: FeatureStore) -> None:
        self.model, self.name, self.store = model.eval().requires_grad_(False), name, store

    @classmethod
    def open(cls, folder: Path, student: ModelParams, checkpoint: Path, device: torch.device) -> "Teacher":
        """The model in `folder`, for a query tower made from `student`.

        Raises InvalidParams when `folder` holds no model, or one with another space.
        """
        try:
            large = saved_params(folder)
        except InvalidParams as error:
            raise InvalidParams(f"train.teacher: {error}") from None
        for key in _THE_SPACE:
            theirs, ours = getattr(large, key), getattr(student, key)
            if theirs != ours:
                raise InvalidParams(
                    f"train.teacher: {folder} has model.{key}: {theirs}, and this configuration {ours}; a query tower "
                    "must ask in the space of the products."
                )
        name = fingerprint(folder)
        return cls(DualEncoder.load(folder, device), name, FeatureStore.open(checkpoint / f"teacher-{name}", "float32"))

    def trunk_folder(self, checkpoint: Path) -> Path:
        """Where the trunk features of its pictures are kept."""
        return trained_trunk_folder(self.model, checkpoint)

    def with_queries_of(self, model: DualEncoder) -> DualEncoder:
        """A model of `model`'s text tower and of everything else that this one has, in which only the first learns."""
        student = DualEncoder(model.params, model.text, self.model.image).to(self.model.device)
        student.fusion = self.model.fusion
        with torch.no_grad():
            student.logit_scale.copy_(self.model.logit_scale)
        return student

    def asked_by(self, tower: TextTower, params: ModelParams) -> DualEncoder:
        """Its model, which makes the products as before, asked by `tower`."""
        self.model.queries = QueryTower(params, tower)
        return self.model

    def missing(self, texts: Iterable[str]) -> int:
        """How many of `texts` `prepare` would read."""
        return len(self.store.missing(text_key(text) for text in texts if text))

    def prepare(self, texts: Iterable[str]) -> Iterator[int]:
        """Read what it has not read yet; yields how many after each chunk."""
        by_key = {text_key(text): text for text in sorted(set(texts) - {""}, key=lambda text: (len(text), text))}

        def compute(keys: list[str]) -> Features:
            with torch.no_grad():
                vectors: Features = self.model.encode_product_text([by_key[key] for key in keys]).float().cpu().numpy()
            return vectors

        yield from fill(self.store, by_key, compute, CHUNK)

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """T prepared texts -> unit rows [T, D] on its device; a zero row for ""."""
        found = torch.zeros(len(texts), self.model.dim)
        rows = [row for row, text in enumerate(texts) if text]
        if rows:
            found[rows] = torch.from_numpy(self.store.rows([text_key(texts[row]) for row in rows]))
        return found.to(self.model.device)
