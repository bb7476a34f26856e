"""Late interaction: words of a query against places of a picture and words of a title, each by its best match."""
