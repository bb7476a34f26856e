"""What pictures look like: read once, hashed, remembered, and compared with each other."""
