"""Pages that stand alone: their common look, their plots, and the report of the evaluation."""
