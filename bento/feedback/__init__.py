"""POST /feedback: what callers did with answers."""
