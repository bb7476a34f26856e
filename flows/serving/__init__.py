"""`etalage serve`: a supervisor, and workers of the release that is to answer."""
