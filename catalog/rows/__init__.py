"""One row of a source: its cells as a shop writes them, read into a product or refused with a reason."""
