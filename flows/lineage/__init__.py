"""Where a release comes from: `etalage why`, `diff` and `rebuild`, and the journal of answers read."""
