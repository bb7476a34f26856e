"""What could make the numbers lie: leaks, misfiled products, missing pictures and words, phrasings, drift, memory."""
