"""Runs of `etalage retrain`: what each took, and the page that each leaves. The flow itself is flows/retrain.py."""
