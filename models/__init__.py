"""Towers, fusion and dual encoder: trained in torch, exported to ONNX, served without torch."""
