"""Section `late` of params.yaml: token heads for late interaction, a second stage over the best candidates."""

from pydantic import Field

from catalog.params import Section


class LateParams(Section):
    """How the token heads are trained and what is kept of each product. While not `enabled` nothing is computed.

    A product costs (side^2 + 1) x width + 4 x title_words bytes: with these defaults 3.3 kB.
    """

    enabled: bool = False
    width: int = Field(default=64, ge=8, le=128)  # of a token's vector
    side: int = Field(default=7, ge=1, le=8)  # a picture is side x side places, and one more token for all of it
    title_words: int = Field(default=14, ge=1, le=64)  # first words of a title that are kept
    seed: int = 7
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=128, ge=2)
    alike: int = Field(default=8, ge=1)  # so many near neighbours stand side by side in a batch; 1 = all at random
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    temperature: float = Field(default=0.05, gt=0)  # at the start; it is learned
    dropout: float = Field(default=0.1, ge=0, lt=1)  # before the heads
