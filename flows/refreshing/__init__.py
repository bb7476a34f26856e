"""How a changed catalogue reaches the live index; the flow itself is flows/refresh.py."""
