"""Towers: the encoder of one modality each, by kind."""
