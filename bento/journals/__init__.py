"""What is kept of answers and of feedback, a line each, for lineage and for the monitor."""
