"""A tower of its own for the words of queries, beside a dual encoder whose towers go on making the products.

It is small, and taught to ask as the large one does (models/training/distillation.py): answers get faster, and the
vectors of the products stay as they are. It lies in the folder queries/ of the model's folder.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from catalog.errors import InvalidParams
from models.params import ModelParams, TextKind
from models.presets import sources_of
from models.spaces import Parts
from models.towers.lora import merged
from models.towers.registry import restore_text
from models.towers.tower import TextTower

QUERIES = "queries"
_CONFIG, _WEIGHTS, _FILES = "config.json", "model.safetensors", "text"


@dataclass(frozen=True)
class QueryTower:
    """`params`: the section `model` that the tower was made from; what it says of pictures and fusion is of no use."""

    params: ModelParams
    tower: TextTower

    @property
    def kind(self) -> TextKind:
        """Which tower it is."""
        return sources_of(self.params).text

    @property
    def name(self) -> str:
        """Its kind, and what learned beside it. For people."""
        return "+".join(filter(None, [self.kind, sources_of(self.params).words_beside]))

    def save(self, folder: Path) -> None:
        """Write configuration, tokenizer and weights into `folder`."""
        (folder / _FILES).mkdir(parents=True, exist_ok=True)
        self.tower.write_files(folder / _FILES)
        config = {"kind": self.kind, "params": self.params.model_dump(mode="json"), **self.tower.describe()}
        (folder / _CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        state, skipped = merged(self.tower).state_dict(), self.tower.referenced()
        weights = {name: t.detach().cpu().contiguous() for name, t in state.items() if name not in skipped}
        (folder / _WEIGHTS).write_bytes(save(weights))

    @classmethod
    def load(cls, folder: Path, parts: Parts | None, device: str | torch.device = "cpu") -> "QueryTower":
        """Read what `save` wrote, in evaluation mode; `parts`: those of the space that words fill.

        Raises InvalidParams when it does not fit its own weights.
        """
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        params = ModelParams.model_validate(config["params"])
        tower = restore_text(config, folder / _FILES, params)
        missing, unexpected = tower.load_state_dict(load_file(folder / _WEIGHTS), strict=False)
        lost = sorted(set(missing) - tower.referenced()) + sorted(unexpected)
        if lost:
            raise InvalidParams(f"{folder / _WEIGHTS} does not fit the tower that {_CONFIG} describes: {lost[0]}.")
        tower.parts = parts
        return cls(params, tower.to(device).eval())
