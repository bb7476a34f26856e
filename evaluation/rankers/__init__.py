"""Learning to rank: examples from judged questions, which features tell, two trainers, and whether it is used."""
