"""A photo to search with: drawn like the built-in sample's, of a product that is not in it.

python -m catalog.sources.unseen photo.jpg
"""

import sys
from pathlib import Path

from catalog.sources.sample import SampleSource

SEED = 1009  # another shop than the sample's


def main(path: Path) -> None:
    """Draw the first pictured product of another seed's shop and say what it is."""
    source = SampleSource(SEED)
    record = next(record for record in source.records() if record.images)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.media(record.images[0]))
    says = ", ".join([record.category[-1], *record.attributes.values()])
    print(f"{path} shows: {says}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
