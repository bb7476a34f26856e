"""Stub until the next change."""

from models.tower import TextTower


class HubTextTower(TextTower):
    """To come."""
