"""Training a dual encoder: batches, losses, the loop, and what it keeps on disk. Nothing that serves imports it."""
