"""How the search logic is set: weights, shares and odds of each kind of query, chosen on the validation split."""
