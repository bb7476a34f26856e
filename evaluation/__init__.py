"""How good is it, how sure are we, and may it be promoted? Judgements, metrics, baselines, gates, the report."""
