"""What an ingest costs beside decoding its pictures, what a second one costs, and what one changed picture moves.

    python -m benchmarks.ingest [--products 100000] [--side 0]

From the root of a workspace with a snapshot, whose pictures are taken again and again, each with a comment in its JPEG
that makes it another file; `--side` first makes their longer side that many pixels. The ingest is a process of its own,
its memory its peak. The floor decodes files to RGB and scales them to 224 pixels, and does nothing else, in one
process, before and after each ingest. Then the same source is ingested again, then with one other picture, and what DVC
pushes after each is counted in its remote. At last one that remembers nothing is killed at half of the rows and run
again: what a run decodes is what its memory knows more after it. Ratios are of processor time, which other jobs on the
machine change least.
"""

import argparse
import csv
import io
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

from PIL import Image

from benchmarks.ingest.remote import Remote
from catalog.ingesting.remembering import PICTURES
from catalog.media import MediaStore
from catalog.pictures.proved import ProvedPictures
from catalog.snapshot import snapshot_id

SIDE = 224
FLOOR = 2000  # pictures of the floor, spread over all
SCALED = 500  # pictures that are enlarged, and then taken again and again
MAPPING = (
    "products: products.csv\ncolumns: {id: id, title: title, category: [category], price: price, images: [image]}\n"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Cost of an ingest.")
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=0)
    options = parser.parse_args()
    count = options.products
    with tempfile.TemporaryDirectory(prefix="etalage-ingest-", dir=".") as folder:
        scratch = Path(folder).absolute()
        pictures = write_source(scratch / "shop", count, options.side)
        size = sum(path.stat().st_size for path in pictures)
        print(f"{count:,} products, {size / 1e6:,.0f} MB of pictures", flush=True)
        workspace, few = Remote.beside(scratch / "workspace"), pictures[:: max(1, count // FLOOR)]
        first = 0.0
        for what in ("first", "again", "one picture changed", "again"):
            if what == "one picture changed":
                pictures[count // 3].write_bytes(commented(pictures[count // 3].read_bytes(), count))
            floors = [floor(few)]
            done = take(scratch, workspace.root)
            floors.append(floor(few))
            first = first or done["cpu"]
            told(what, done, count, mean(floors), first)
            print(
                f"  DVC pushed {workspace.push():,} bytes, {workspace.seconds:.1f} s with dvc add; "
                f"{len(workspace.new_shards):,} of {len(workspace.shards):,} shards are new",
                flush=True,
            )
        before = snapshot_id(workspace.root / "data")
        pictures[count // 2].write_bytes(commented(pictures[count // 2].read_bytes(), count + 1))
        killed = subprocess.run([*command(scratch, workspace.root, "other"), str(count // 2)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert snapshot_id(workspace.root / "data") == before
        kept = known(scratch)
        print(f"killed at half of the rows: the snapshot of before stands, {kept:,} pictures known", flush=True)
        told("run again", take(scratch, workspace.root, "other"), count, floor(few), first)


def told(what: str, done: dict[str, Any], count: int, floor_seconds: float, first: float) -> None:
    """One line."""
    print(
        f"{what}{', not read' if done['recognised'] else ''}: {done['wall']:.1f} s, {done['cpu']:.1f} s of processor "
        f"({done['cpu'] / first:.1%} of the first), peak {done['peak_mb']:,.0f} MB; floor "
        f"{floor_seconds * count:.1f} s of processor, floor / ingest {floor_seconds * count / done['cpu']:.2f}; "
        f"{done['decoded']:,} pictures decoded",
        flush=True,
    )
    if held := done["held_mb"]:
        quarters = [held[len(held) * quarter // 4 - 1] for quarter in (1, 2, 3, 4)] if len(held) >= 4 else held
        print(f"  held at each quarter of the rows: {', '.join(f'{each:,.0f}' for each in quarters)} MB", flush=True)


def write_source(shop: Path, count: int, side: int = 0) -> list[Path]:
    """A folder with a table, a mapping and `count` pictures."""
    store, images = MediaStore(), shop / "images"
    images.mkdir(parents=True)
    ids = store.ids()[: SCALED if side else None]
    scaled = {identity: enlarged(store.read(identity), side) for identity in ids} if side else {}
    (shop / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    paths = []
    with (shop / "products.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("id", "title", "category", "price", "image"))
        for start in range(0, count, len(ids)):
            number = start
            for batch in store.iterate(ids[: count - start], 64):
                for identity, data in batch:
                    path = images / f"{number}.jpg"
                    path.write_bytes(commented(scaled[identity] if side else data, number))
                    table.writerow(
                        (f"p{number}", f"Thing number {number}", f"Kind {number % 50}", "9.90", f"images/{number}.jpg")
                    )
                    paths.append(path)
                    number += 1
    return paths


def enlarged(data: bytes, side: int) -> bytes:
    """The picture with a longer side of `side` pixels, as a JPEG of quality 88."""
    with Image.open(io.BytesIO(data)) as image:
        scale = side / max(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(buffer := io.BytesIO(), "JPEG", quality=88)
    return buffer.getvalue()


def commented(data: bytes, number: int) -> bytes:
    """A JPEG with a comment behind its first marker; another picture becomes a JPEG first."""
    if not data.startswith(b"\xff\xd8"):
        with Image.open(io.BytesIO(data)) as image:
            image.convert("RGB").save(buffer := io.BytesIO(), format="JPEG")
        data = buffer.getvalue()
    text = f"{number:012d}".encode()
    return data[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text + data[2:]


def floor(pictures: list[Path]) -> float:
    """Processor seconds a picture, of decoding and scaling alone."""
    for path in pictures:
        path.read_bytes()  # the disk is nobody's to pay for
    started = time.process_time()
    for path in pictures:
        with Image.open(path) as image:
            image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return (time.process_time() - started) / len(pictures)


def command(scratch: Path, workspace: Path, memory: str) -> list[str]:
    """What ingests the shop in `scratch`."""
    places = (scratch / "shop", workspace / "data", scratch / memory)
    return [sys.executable, "-m", "benchmarks.ingest.take", *map(str, places)]


def take(scratch: Path, workspace: Path, memory: str = "memory") -> dict[str, Any]:
    """An ingest in a process of its own."""
    before = known(scratch, memory)
    done = subprocess.run(command(scratch, workspace, memory), capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**measured, "decoded": known(scratch, memory) - before}


def known(scratch: Path, memory: str = "other") -> int:
    """Pictures that need no decoding."""
    path = scratch / memory / PICTURES
    return ProvedPictures(path).known if path.exists() else 0


if __name__ == "__main__":
    main()
