"""Planted faults: releases with one known fault each, made by the real commands, and which check refuses them."""
