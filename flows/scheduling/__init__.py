"""Deployments on a Prefect server: what starts a run, and one run at a time."""
