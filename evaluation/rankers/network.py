"""Train the small network in torch with a listwise loss; it is served in numpy (search.ranking.neural).

loss of a question = - sum over its candidates c of p(c) ln softmax(scores)(c),   p(c) = gain(c) / sum of gains
with gain 2^grade - 1 (ListNet's top-one loss: Cao and others, "Learning to Rank: From Pairwise Approach to Listwise
Approach", ICML 2007). Legend: B questions of a batch, C candidates of the longest, I inputs.
"""

from typing import Any

import numpy as np

from evaluation.rankers.examples import Examples
from evaluation.rankers.params import RankParams
from search.ranking.features import Floats
from search.ranking.neural import Network, Weights, inputs_of


def train_network(examples: Examples, features: tuple[str, ...], params: RankParams) -> Network:
    """The same examples and params give the same network on one kind of machine."""
    import torch  # seconds to import, and only this trainer needs it

    own, generator = params.neural, torch.Generator().manual_seed(params.seed)
    mean, spread = _standard(examples.features)
    inputs, gains, real = (torch.from_numpy(array) for array in _padded(examples, mean, spread))
    weights = torch.from_numpy(examples.weights)
    module = layers(inputs.shape[2], own.first, own.second, generator)
    optimiser = torch.optim.AdamW(module.parameters(), lr=own.learning_rate, weight_decay=own.weight_decay)
    for _ in range(own.epochs):
        order = torch.randperm(len(inputs), generator=generator)
        for start in range(0, len(order), own.batch):
            batch = order[start : start + own.batch]
            scores = module(inputs[batch]).squeeze(2).masked_fill(~real[batch], -torch.inf)  # [B, C]
            chances = torch.log_softmax(scores, dim=1).masked_fill(~real[batch], 0.0)
            wanted = gains[batch] / gains[batch].sum(dim=1, keepdim=True)
            loss = -(weights[batch] * (wanted * chances).sum(dim=1)).mean()
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    return Network(weights_of(module, mean, spread), features)


def layers(width: int, first: int, second: int, generator: Any) -> Any:
    """The network in torch, float64: `width` -> `first` -> `second` -> 1."""
    import torch

    module = torch.nn.Sequential(
        torch.nn.Linear(width, first),
        torch.nn.ReLU(),
        torch.nn.Linear(first, second),
        torch.nn.ReLU(),
        torch.nn.Linear(second, 1, bias=False),
    ).double()
    for parameter in module.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_uniform_(parameter, nonlinearity="relu", generator=generator)
        else:
            torch.nn.init.zeros_(parameter)
    return module


def weights_of(module: Any, mean: Floats, spread: Floats) -> Weights:
    """The arrays of `layers`, as the service takes them."""
    one, two, three = (module[number] for number in (0, 2, 4))
    arrays = [one.weight.T, one.bias, two.weight.T, two.bias, three.weight[0]]
    return Weights(mean, spread, *(np.ascontiguousarray(array.detach().numpy()) for array in arrays))


def _standard(features: Floats) -> tuple[Floats, Floats]:
    """Mean and spread [F] of what is known; 0 and 1 where nothing is, or nothing differs."""
    known = ~np.isnan(features)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, features, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, features - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, np.where(spread > 0, spread, 1.0)


def _padded(examples: Examples, mean: Floats, spread: Floats) -> tuple[Floats, Floats, Any]:
    """Inputs [Q, C, I], gains [Q, C], and which of them are candidates [Q, C]."""
    rows = inputs_of(examples.features, mean, spread)
    gained = 2.0**examples.grades - 1
    count, longest = len(examples.sizes), int(examples.sizes.max())
    inputs, gains = np.zeros((count, longest, rows.shape[1])), np.zeros((count, longest))
    real = np.arange(longest) < examples.sizes[:, None]
    inputs[real], gains[real] = rows, gained
    return inputs, gains, real
