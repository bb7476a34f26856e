"""Reading a query: the attributes it names or nearly names, what it does not want, what it may cost."""
