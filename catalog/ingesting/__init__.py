"""From a source to the snapshot in data/: every row checked, what failed kept to be mended, all of it remembered."""
