"""What the environment decides about training: nothing that changes the bytes of the model."""

import os

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TrainSettings(BaseSettings):
    """ETALAGE_CHECKPOINT_SECONDS and ETALAGE_DECODE_THREADS. Read it inside a function, never at import."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_", frozen=True)

    checkpoint_seconds: float = Field(default=60.0, ge=0)  # between checkpoints within an epoch
    decode_threads: int = Field(default_factory=lambda: min(16, os.cpu_count() or 1), ge=1)  # for live pictures
