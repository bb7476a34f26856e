"""What the environment decides about training: nothing that changes the bytes of the model."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TrainSettings(BaseSettings):
    """ETALAGE_CHECKPOINT_SECONDS, _DECODE_THREADS and _FEATURES. Read it inside a function, never at import."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_", frozen=True)

    checkpoint_seconds: float = Field(default=60.0, ge=0)  # between checkpoints within an epoch
    features: Path | None = None  # a folder in which runs share the outputs of frozen layers; None: each has its own
    decode_threads: int = Field(default_factory=lambda: min(16, os.cpu_count() or 1), ge=1)  # for live pictures
