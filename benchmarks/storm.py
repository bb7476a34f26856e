"""What becomes of the service when it is asked twice as much as it can answer, and of its memory in 50,000 requests.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE python -m benchmarks.storm [--seconds 10] [--rounds 3] [--photos 0.1]
    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE python -m benchmarks.storm --memory 50000

From the root of a workspace with a promoted release, or with its ETALAGE_HOME: the service is started on a free port
as `etalage serve` starts it, with no cache of query vectors. Texts are titles of the catalogue; one query in ten is a
photo, drawn anew. Caller and service share the machine.

Capacity is what four callers who never pause get answered. A round is 60 % of it (normal), twice of it (the storm), and
60 % again, as Poisson arrivals. A second is normal again when nothing in it was refused and half of it took no longer
than the p95 of normal. Medians of the rounds; p99 as multiples of the same round's normal p99.
"""

import argparse
import asyncio
import base64
import io
import json
import os
import random
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.open_loop import HOST, Caller, Reply, post
from benchmarks.serving.process import Started
from benchmarks.serving.servers import service

BROAD = ("shoes", "shirt", "watch", "bag", "dress", "red", "blue", "mug", "lamp")  # what titles are taken from
CALLERS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Storm and memory of the service.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=float, default=0.1)
    parser.add_argument("--memory", type=int, default=0, metavar="REQUESTS")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="etalage-storm-") as scratch,
        service(Path(scratch), {"query_cache": 0}) as server,
    ):
        draw = drawing(titles(server.port), options.photos, random.Random(7))
        if options.memory:
            asyncio.run(memory(server, draw, options.memory))
        else:
            asyncio.run(storm(server.port, draw, options.seconds, options.rounds))


async def storm(port: int, draw: Callable[[], bytes], seconds: float, rounds: int) -> None:
    """Print the table of the storm."""
    caller, luck = Caller(port), random.Random(8)
    await caller.crowd(draw, 1, lambda done: done >= 200)
    stop = time.monotonic() + seconds
    capacity = len(answered(await caller.crowd(draw, CALLERS, lambda _: time.monotonic() > stop))) / seconds
    rows = []
    for _ in range(rounds):
        normal = await caller.arrive(draw, 0.6 * capacity, seconds, luck)
        stormy = await caller.arrive(draw, 2 * capacity, seconds, luck)
        ended = time.monotonic()
        after = await caller.arrive(draw, 0.6 * capacity, seconds, luck)
        rows.append(row(normal, stormy, after, ended))
    caller.close()
    print(f"{rounds} rounds of {seconds:g} s; {os.cpu_count()} cores, shared with the caller")
    for name in rows[0]:
        print(f"| {name} | {median(one[name] for one in rows):.2f} |")


def row(normal: Sequence[Reply], stormy: Sequence[Reply], after: Sequence[Reply], ended: float) -> dict[str, float]:
    """One round's numbers."""
    usual = percentile(answered(normal), 99)
    refused = [reply for reply in stormy if reply.status == 429]
    return {
        "normal: refused, %": 100 * (1 - len(answered(normal)) / len(normal)),
        "normal: p99 / p50 of answered": usual / percentile(answered(normal), 50),
        "storm: requests": len(stormy),
        "storm: refused with 429 and Retry-After, %": 100 * sum(bool(r.retry_after) for r in refused) / len(stormy),
        "storm: neither 200 nor 429": len(stormy) - len(answered(stormy)) - len(refused),
        "storm: p50 of accepted / normal p99": percentile(answered(stormy), 50) / usual,
        "storm: p99 of accepted / normal p99": percentile(answered(stormy), 99) / usual,
        "storm: p99 of a refusal / normal p99": percentile(refused, 99) / usual,
        "after: seconds until normal": until_normal(after, ended, percentile(answered(normal), 95)),
    }


def until_normal(after: Sequence[Reply], ended: float, p95: float) -> float:
    """The end of the first whole second after the storm that is normal; infinite if none is."""
    last = max(reply.at for reply in after)
    for second in range(1, int(last - ended) + 1):
        within = [reply for reply in after if second - 1 <= reply.at - ended < second]
        if within and len(answered(within)) == len(within) and percentile(within, 50) <= p95:
            return second
    return float("inf")


async def memory(server: Started, draw: Callable[[], bytes], requests: int) -> None:
    """Print resident memory on the way to `requests`."""
    caller = Caller(server.port)
    seen: dict[int, float] = {}

    def enough(done: int) -> bool:
        for share in (1, 10, 25, 50, 75, 100):
            if share not in seen and done >= requests * share / 100:
                seen[share] = server.rss_mb()
        return done >= requests

    replies = await caller.crowd(draw, CALLERS, enough)
    caller.close()
    print(f"{len(replies)} requests, {len(answered(replies))} answered")
    for share, megabytes in seen.items():
        print(f"| after {share} % | {megabytes:.0f} MiB | {megabytes / seen[10]:.3f} of that at 10 % |")


def answered(replies: Sequence[Reply]) -> list[Reply]:
    """Those with an answer."""
    return [reply for reply in replies if reply.status == 200]


def percentile(replies: Sequence[Reply], share: float) -> float:
    """Seconds; not a number where there is none."""
    return float(np.percentile([reply.took for reply in replies], share)) if replies else float("nan")


def drawing(texts: Sequence[str], photos: float, luck: random.Random) -> Callable[[], bytes]:
    """Draws a request: words, or with the probability `photos` a picture."""
    noise = np.random.default_rng(7)

    def picture() -> str:
        file = io.BytesIO()
        blocks = Image.fromarray(noise.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        blocks.resize((400, 400), Image.Resampling.BILINEAR).save(file, "JPEG", quality=90)
        return base64.b64encode(file.getvalue()).decode()

    pictures = [picture() for _ in range(64)]

    def draw() -> bytes:
        if luck.random() < photos:
            return post("/search", {"image": luck.choice(pictures)})
        return post("/search", {"text": luck.choice(texts)})

    return draw


def titles(port: int) -> list[str]:
    """Titles of the catalogue that is served."""
    found = []
    for text in BROAD:
        body = json.dumps({"text": text, "k": 200}).encode()
        request = urllib.request.Request(
            f"http://{HOST}:{port}/search", body, {"content-type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            found += [hit["title"] for hit in json.load(reply)["hits"]]
    return sorted(set(found))


if __name__ == "__main__":
    main()
