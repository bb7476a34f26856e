"""What is asked: kinds of queries, known items, derived grades, the shop's own judgements, and their slices."""
