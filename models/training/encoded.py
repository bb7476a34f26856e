"""A batch after the towers: its vectors by name, with gradients, for the objectives.

Legend: B products, S of them with a picture, U distinct texts, W text tower width, D width of the shared space.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.dual_encoder import DualEncoder
from models.prefixes import unit_prefix
from models.training.contents import Batch
from models.training.grad_cache import in_chunks
from models.training.params import PairWeights, TrainParams
from models.training.teacher import Teacher
from models.training.texts import Texts

EncodePictures = Callable[[DualEncoder, Tensor], Tensor]  # what Pictures.load gave -> unit rows [S, D]


@dataclass(frozen=True)
class Encoded:
    """Unit rows, and what is true of whom; all on the model's device."""

    titles: Tensor  # [T1, D]
    phrases: Tensor  # [T2, D]
    queries: Tensor  # [Q, D]: of the shop
    masked: Tensor  # [R, D]: product texts with words left out; no rows where no objective asks for them
    words: Tensor  # [B, D]: the products' own texts; zero where a product has none
    pictures: Tensor  # [S, D]
    products: Tensor  # [B, D]: fused; zero where fusion saw nothing
    second_views: Tensor  # [S, D]: other views of the same pictures; no rows where no objective asks for them
    shown: Tensor  # int64 [S]: whose pictures they are
    has_words: Tensor  # bool [B]
    title_true: Tensor  # bool [T1, B]
    phrase_true: Tensor  # [T2, B]: bool, or grades in [0, 1]
    query_true: Tensor  # [Q, B]: likewise
    masked_true: Tensor  # bool [R, B]
    same_picture: Tensor  # bool [S, S]
    taught: Tensor  # [T1 + T2 + Q, D]: titles, phrases and queries as the teacher asks them; no rows without one
    logit_scale: Tensor  # scalar: the logarithm of 1 / temperature
    weights: PairWeights  # what each pair counts for
    batch: Batch

    def cut(self, model: DualEncoder, width: int) -> "Encoded":
        """The same of vectors cut to their first `width` dimensions; products are fused from what is left."""
        short = replace(
            self,
            titles=unit_prefix(self.titles, width),
            phrases=unit_prefix(self.phrases, width),
            queries=unit_prefix(self.queries, width),
            masked=unit_prefix(self.masked, width),
            words=unit_prefix(self.words, width),
            pictures=unit_prefix(self.pictures, width),
            second_views=unit_prefix(self.second_views, width),
        )
        return replace(short, products=short.fused(model))

    def fused(self, model: DualEncoder) -> Tensor:
        """`products` again, from `words` and `pictures`."""
        images = torch.zeros_like(self.words, dtype=self.pictures.dtype).index_copy(0, self.shown, self.pictures)
        sees_text, sees_image = self.batch.sees_text.to(images.device), self.batch.sees_image.to(images.device)
        return model.fuse(self.words, images, sees_text, sees_image)


def encode(
    model: DualEncoder,
    batch: Batch,
    texts: Texts,
    encode_pictures: EncodePictures,
    params: TrainParams,
    teacher: Teacher | None = None,
) -> Encoded:
    """Run the towers over a batch, each distinct text once, and fuse its products. With a `teacher` their words are
    read by it, and `model.text` reads queries alone.
    """
    device = model.device
    phrases = [phrase.text for phrase in batch.phrases]
    asked = [*batch.titles, *phrases, *batch.queries]
    of_products = () if teacher else batch.product_texts
    distinct = list(dict.fromkeys([*asked, *batch.masked_texts, *of_products]))
    place = {text: number for number, text in enumerate(distinct)}
    known = [text for text in distinct if text]
    vectors = encode_texts(model, known, texts, params)
    if len(known) < len(distinct):  # a product without words: a zero row that fusion does not look at
        vectors = torch.zeros(len(distinct), model.dim, device=device, dtype=vectors.dtype).index_copy(
            0, torch.tensor([place[text] for text in known], device=device), vectors
        )

    def of(lines: Sequence[str]) -> Tensor:
        return vectors[torch.tensor([place[line] for line in lines], dtype=torch.int64, device=device)]

    def look(loaded: Tensor) -> Tensor:
        return in_chunks(lambda part: encode_pictures(model, part).float(), loaded, params.grad_cache)

    shown = batch.shown.to(device)
    words = teacher.vectors(batch.product_texts) if teacher else of(batch.product_texts)
    images = torch.zeros(len(batch.product_texts), model.dim, device=device)
    pictures = images[shown]
    if batch.pictures is not None:
        pictures = look(batch.pictures.to(device, non_blocking=True))
        images = images.index_copy(0, shown, pictures)
    second = pictures[:0]
    if batch.second_views is not None:
        loaded = batch.second_views.to(device, non_blocking=True)
        if not model.image.live:  # pixels were augmented when they were loaded
            loaded = jittered(loaded, params.photo_noise)
        second = look(loaded)
    return Encoded(
        titles=of(batch.titles),
        phrases=of(phrases),
        queries=of(batch.queries),
        masked=of(batch.masked_texts),
        words=words,
        pictures=pictures,
        products=model.fuse(words, images, batch.sees_text.to(device), batch.sees_image.to(device)),
        second_views=second,
        shown=shown,
        has_words=torch.tensor([bool(text) for text in batch.product_texts], device=device),
        title_true=batch.title_true.to(device),
        phrase_true=batch.phrase_true.to(device),
        query_true=batch.query_true.to(device),
        masked_true=batch.masked_true.to(device),
        same_picture=batch.same_picture.to(device),
        taught=teacher.vectors(asked) if teacher else words[:0],
        logit_scale=model.logit_scale,
        weights=params.weights,
        batch=batch,
    )


def encode_texts(model: DualEncoder, lines: Sequence[str], texts: Texts, params: TrainParams) -> Tensor:
    """U texts -> unit rows [U, D]; noise on what a frozen backbone gives, none where it trains."""
    rested = None if model.text.live else blurred(texts.rested(model, lines), params.text_noise)

    def encoded(rows: Tensor) -> Tensor:
        part = [lines[row] for row in rows.tolist()]
        pooled = texts.pooled(model, part) if rested is None else model.text.completed(rested[rows], part)
        return model.text.project(pooled)

    return in_chunks(encoded, torch.arange(len(lines), device=model.device), params.grad_cache)


def blurred(pooled: Tensor, noise: float) -> Tensor:
    """[U, W] of a frozen backbone with noise, so that the head keeps near what the backbone puts near."""
    return pooled if noise == 0 else pooled + noise * pooled.std() * torch.randn_like(pooled)


def jittered(features: Tensor, noise: float) -> Tensor:
    """[S, ...] cached features with noise in each dimension's own standard deviations over the batch."""
    if noise == 0 or len(features) < 2:
        return features
    features = features.float()
    return features + noise * features.std(dim=0) * torch.randn_like(features)
