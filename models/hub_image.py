"""Stub until the next change."""

from models.tower import ImageTower


class HubImageTower(ImageTower):
    """To come."""
