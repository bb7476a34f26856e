"""What stands behind `etalage ingest`: the command, and the look at a source that writes no snapshot."""
