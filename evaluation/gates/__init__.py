"""May a challenger be promoted? The evidence, the rules, the decision, and whether the champion's record holds."""
