"""Names of the files that a measured configuration leaves in its folder."""

from pathlib import Path

PER_QUERY = Path("per_query.parquet")
FACTS = Path("facts.json")
