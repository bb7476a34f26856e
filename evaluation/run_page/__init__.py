"""The page that a retrain leaves: one run, told from its verdict to its cost. Pure: flows/runs gathers what is told."""
