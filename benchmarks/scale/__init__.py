"""What benchmarks.search_scale measures: a made catalogue, ways to search it, and the clock."""
