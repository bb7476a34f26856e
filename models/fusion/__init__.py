"""One vector for one product, from the vectors of its modalities: the ways to combine them."""
