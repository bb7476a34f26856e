"""Whatever stands in a file of a shop: rows, bad rows or one sentence, never a traceback."""

import random
from pathlib import Path

import pytest

from catalog.errors import EtalageError
from catalog.ingesting.checking import checked_rows
from catalog.sources import open_source
from tests.catalog.sources.shops import GOODS, WRITERS, write_media

FILES = ("table", "shopify", "woocommerce", "merchant-tsv", "merchant-rss", "merchant-atom", "sql", "parquet", "delta")
ROUNDS = 40
JUNK = (
    b"\0",
    b"\xff",
    b'"',
    b"\n",
    b",",
    b"<",
    b"&",
    b"]]>",
    b"\xef\xbb\xbf",
    b"{",
    b"\x80\x81",
    "红".encode("gb18030"),
)


def spoilt(data: bytes, draw: random.Random) -> bytes:
    """`data` with some places cut out, doubled or written over."""
    for _ in range(draw.randint(1, 6)):
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice((0, 1, 3, 40, 400)))
        data = data[:start] + draw.choice((b"", data[start:end] * 2, draw.choice(JUNK))) + data[end:]
    return data


@pytest.mark.parametrize("shape", FILES)
def test_a_spoilt_file_gives_rows_or_one_sentence(shape: str, tmp_path: Path) -> None:
    draw = random.Random(shape)
    shop = tmp_path / "shop"
    shop.mkdir()
    media = write_media(tmp_path / "media")
    where = WRITERS[shape](shop, GOODS)
    files = sorted(path for path in shop.rglob("*") if path.is_file())
    whole = {path: path.read_bytes() for path in files}
    outcomes = set()
    for _ in range(ROUNDS):
        victim = draw.choice(files)
        victim.write_bytes(spoilt(whole[victim], draw))
        try:
            rows = list(checked_rows(open_source(where, media=media)))
        except EtalageError as refusal:
            assert "\n" not in str(refusal) and str(refusal).endswith("."), refusal
            outcomes.add("refused")
        else:
            assert all("\n" not in row.quarantined.detail for row in rows if row.quarantined)
            outcomes.add("read")
        victim.write_bytes(whole[victim])
    assert outcomes  # and no other exception
    assert len(list(checked_rows(open_source(where, media=media)))) == len(GOODS)
