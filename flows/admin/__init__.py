"""`etalage admin`: releases side by side, their worst queries, quality over time, and going back, in a browser."""
