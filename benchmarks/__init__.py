"""Speed, cost and quality measurements, each with the peer or the floor that it is compared with, in the same run."""
