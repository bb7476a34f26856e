"""Training of the token heads on frozen features: a few minutes on two cores. Legend as in models.late.training."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from models.late.heads import LateHeads, pooled_places
from models.late.params import LateParams
from models.late.training import LateData, alike_batches, best_matches
from models.training.loop import TrainingDiverged, learning_rate_factor
from models.training.losses import clamp_scale
from models.training.ranking_scores import recall_at

WARMUP = 0.05  # share of the steps
CLIP = 1.0  # largest norm of the gradient
_FITTED_ON = 512  # pictures whose features set the heads' centre and spread
_AT_ONCE = 64


def fit_heads(
    data: LateData,
    held_out: LateData,
    vectors: NDArray[np.float32],
    params: LateParams,
    told: Callable[[dict[str, float]], None],
) -> tuple[LateHeads, list[dict[str, float]]]:
    """The heads after `params.epochs`, and a row for each epoch, which `told` hears as it ends.

    `vectors` [N, D] of the products say which are alike. The same data, params and machine give the same heads.
    Raises TrainingDiverged.
    """
    torch.manual_seed(params.seed)
    heads = _new(data, params)
    optimiser = torch.optim.AdamW(heads.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay)
    steps, step, history = 0, 0, []
    for epoch in range(params.epochs):
        heads.train()
        total = 0.0
        batches = alike_batches(vectors, params, epoch)
        steps = steps or params.epochs * len(batches)
        for rows in batches:
            for group in optimiser.param_groups:
                group["lr"] = params.learning_rate * learning_rate_factor(step, steps, WARMUP)
            loss = data.loss(heads, rows, epoch)
            if not torch.isfinite(loss):
                raise TrainingDiverged(
                    f"Training of the token heads stopped in epoch {epoch + 1}: the loss is {float(loss):g}. "
                    "Lower late.learning_rate."
                )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(heads.parameters(), CLIP)
            optimiser.step()
            clamp_scale(heads.logit_scale)
            total, step = total + float(loss.detach()), step + 1
        row = {"epoch": epoch + 1, "loss": total / len(batches), **title_recalls(heads.eval(), held_out)}
        history.append(row)
        told(row)
    return heads, history


@torch.inference_mode()
def title_recalls(heads: LateHeads, data: LateData) -> dict[str, float]:
    """How well titles find their pictures among all of `data`, by MaxSim alone; {} without any."""
    shown = np.flatnonzero(data.pictures.of >= 0)
    asked = np.array([row for row in shown if data.titles[row]], dtype=np.int64)
    if not len(asked):
        return {}
    used, share = data.words.used([data.titles[row] for row in asked])
    query = heads.of_words(data.words.vectors[used])
    parts = [shown[start : start + _AT_ONCE] for start in range(0, len(shown), _AT_ONCE)]
    best = torch.cat([best_matches(query, data.pictures.tokens(heads, part)) for part in parts], dim=1)
    truth = torch.from_numpy(data.truth.of_titles(asked, shown))
    return {f"title_image_recall@{k}": recall_at(share @ best, truth, k) for k in (1, 10)}


def _new(data: LateData, params: LateParams) -> LateHeads:
    """Untrained heads, with centre and spread of the training features."""
    pictures = data.pictures
    rows = np.random.default_rng(params.seed).permutation(len(pictures.keys))[:_FITTED_ON].tolist()
    features = pictures.trunk.load([pictures.keys[row] for row in rows], None).float()
    places = pooled_places(pictures.tower.places(features), params.side)
    pooled = torch.from_numpy(pictures.pooled)
    heads = LateHeads(data.words.vectors.shape[1], places.shape[2], pooled.shape[1], params)
    heads.words.standardise(data.words.vectors)
    heads.places.standardise(places.flatten(0, 1))
    heads.whole.standardise(pooled)
    return heads
