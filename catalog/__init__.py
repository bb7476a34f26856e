"""Words and tables: what a product is, where it comes from, how it is kept on disk."""
