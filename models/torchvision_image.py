"""Stub until the next change."""

from models.tower import ImageTower


class TorchvisionImageTower(ImageTower):
    """To come."""
