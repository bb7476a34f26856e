"""Section `compose` of params.yaml: how a photo and words become one vector, and how that is learned."""

from typing import Literal

from pydantic import Field

from catalog.params import Section
from models.training.params import PhraseLanguage

ComposerChoice = Literal["sum", "learned", "auto"]


class ComposeParams(Section):
    """How a photo and words become one vector."""

    composer: ComposerChoice = "auto"  # auto: learned where it answers held-out pairs better than a sum
    seed: int = 7
    epochs: int = Field(default=60, ge=1)  # in each, as many pairs as there are products that can be changed
    batch_size: int = Field(default=256, ge=2)  # pairs
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup_fraction: float = Field(default=0.1, gt=0, lt=1)
    temperature: float = Field(default=0.07, gt=0)
    hidden: int = Field(default=256, ge=1)  # H, width of the hidden layers
    dropout: float = Field(default=0.2, ge=0, lt=1)
    phrases: int = Field(default=12, ge=1)  # that ask for one value, in each language
    languages: tuple[PhraseLanguage, ...] = Field(default=("en", "zh"), min_length=1)
    validation_pairs: int = Field(default=1000, ge=1)  # held-out pairs that are asked, at most
