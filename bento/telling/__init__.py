"""What the service tells those who run it: log, metrics, traces."""
