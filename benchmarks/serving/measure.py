"""The measurements, in the order in which they run. Servers take turns within a round; the order turns each round."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving.asked import HttpQuery, as_http
from benchmarks.serving.cell import Cell, cell_of
from benchmarks.serving.floor import floor_ms, found_of_floor
from benchmarks.serving.load import Client, closed_loop
from benchmarks.serving.paths import PEER_PHOTOS, SEARCH
from benchmarks.serving.plan import Plan
from benchmarks.serving.process import Started
from benchmarks.serving.servers import peer, service, with_room
from catalog.errors import NotReady
from models.embeddings import ProductEmbeddings
from models.encoder import Encoder, cores
from search.query import Query

SERVICE, PEER = "service", "by hand"
ALONE = "dense leg alone"
SEVERAL = "service, a worker a core"
"""As `etalage serve --workers N`: by default there is one, which searches on one core."""
REMEMBERED = 10_000
"""Vectors that the second service remembers: what ETALAGE_SERVICE_QUERY_CACHE is by default."""
CACHED_CLIENTS = (1, 16)
Rounds = dict[tuple[str, int, str], list[Cell]]
"""(kind, clients, server) -> a cell of each round."""


@dataclass
class Measured:
    """All that the report is made of. Memory: (resident, proportional) megabytes after the warm-up."""

    rounds: Rounds = field(default_factory=lambda: defaultdict(list))
    floor: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Kind -> p50 of each round."""
    starts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)
    phases: dict[str, dict[str, float]] = field(default_factory=dict)
    """Kind -> phase -> median milliseconds that the service tells, at one client."""
    overlap: dict[str, float] = field(default_factory=dict)
    """Kind -> overlap@10 of the peer with the floor."""
    cached: Rounds = field(default_factory=lambda: defaultdict(list))
    """As `rounds`, of queries asked before; the servers are without and with the cache."""


@dataclass(frozen=True)
class Bench:
    """What is measured with."""

    plan: Plan
    queries: Mapping[str, Sequence[Query]]
    encoder: Encoder
    embeddings: ProductEmbeddings
    scratch: Path
    store: Path

    def measure(self) -> Measured:
        """Everything; minutes."""
        measured = Measured()
        _tell("starts")
        for _ in range(self.plan.starts - 1):
            with service(self.scratch, {"query_cache": 0}) as one:
                measured.starts[SERVICE].append(one.start_seconds)
            with peer(self.scratch, self.store) as other:
                measured.starts[PEER].append(other.start_seconds)
        roomy = {**with_room(max(self.plan.clients)), "query_cache": 0}
        with ExitStack() as stack:
            ours = stack.enter_context(service(self.scratch, roomy))
            several = stack.enter_context(service(self.scratch, roomy, workers=cores()))
            servers = {SERVICE: ours, SEVERAL: several, PEER: stack.enter_context(peer(self.scratch, self.store))}
            for name, server in servers.items():
                measured.starts[name].append(server.start_seconds)
                self._warm(name, server)
                measured.memory[name] = (server.rss_mb(), server.pss_mb())
            for kind, queries in self.queries.items():
                measured.phases[kind] = phases(answers(ours, [as_http(query) for query in queries]))
                found = answers(servers[PEER], [as_http(query, PEER_PHOTOS) for query in queries])
                measured.overlap[kind] = found_of_floor(found, queries, self.encoder, self.embeddings)
            for number in range(self.plan.rounds):
                _tell(f"round {number + 1} of {self.plan.rounds}")
                self._round(number, servers, measured)
        _tell("the cache")
        with ExitStack() as stack:
            plain, cached = (
                stack.enter_context(service(self.scratch, {**roomy, "query_cache": kept})) for kept in (0, REMEMBERED)
            )
            for number in range(self.plan.rounds):
                self._repeated(number, {"cache off": plain, "cache on": cached}, measured)
        return measured

    def _warm(self, name: str, server: Started) -> None:
        mixed = [as_http(query, photos_at(name)) for query in self._mixed()]
        answers(server, mixed[:1])
        closed_loop(server.port, mixed, 1, self.plan.warm)

    def _mixed(self) -> list[Query]:
        """All kinds in turns."""
        return [query for several in zip(*self.queries.values(), strict=False) for query in several]

    def _round(self, number: int, servers: Mapping[str, Started], measured: Measured) -> None:
        for kind, queries in self.queries.items():
            measured.floor[kind].append(median(floor_ms(queries, self.encoder, self.embeddings)))
            for clients in self.plan.clients:
                for name in turned([name for name in servers if name != SEVERAL or clients > 1], number):
                    asked = [as_http(query, photos_at(name)) for query in queries]
                    measured.rounds[kind, clients, name].append(self._cell(servers[name], asked, clients))
            alone = [as_http(replace(query, legs=("dense",))) for query in queries]
            for clients in (min(self.plan.clients), CACHED_CLIENTS[-1]):
                cell = self._cell(servers[SERVICE], alone, clients)
                measured.rounds[kind, clients, ALONE].append(cell)

    def _repeated(self, number: int, servers: Mapping[str, Started], measured: Measured) -> None:
        for kind, queries in self.queries.items():
            asked = [as_http(query) for query in queries]
            if number == 0:
                for server in servers.values():
                    closed_loop(server.port, asked, 1, len(asked))
            for clients in CACHED_CLIENTS:
                for name in turned(tuple(servers), number):
                    measured.cached[kind, clients, name].append(self._cell(servers[name], asked, clients))

    def _cell(self, server: Started, asked: Sequence[HttpQuery], clients: int) -> Cell:
        spent = server.cpu_seconds()
        load = closed_loop(server.port, asked, clients, self.plan.requests_of(clients))
        return cell_of(load, server.cpu_seconds() - spent, server.rss_mb())


def photos_at(name: str) -> str:
    """The path to which a server takes photos."""
    return PEER_PHOTOS if name == PEER else SEARCH


def turned(names: Sequence[str], number: int) -> Sequence[str]:
    """The other way round in every second round: who comes second finds the machine warmer."""
    return names if number % 2 == 0 else names[::-1]


def answers(server: Started, asked: Sequence[HttpQuery]) -> list[dict[str, Any]]:
    """Every answer, by one client, with the milliseconds that it `waited`. Raises NotReady for one that is refused."""
    client, found = Client(server.port), []
    for query in asked:
        started = time.perf_counter()
        status, body = client.ask(query)
        waited = (time.perf_counter() - started) * 1000
        if status != 200:
            raise NotReady(f"A server answered {status}: {body[:200].decode('utf-8', 'replace')}")
        found.append({**json.loads(body), "waited": waited})
    client.close()
    return found


def phases(told: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Medians of what answers of the service say they took, by phase and as `took_ms`; HTTP: what the client waited
    beyond that.
    """
    found = {phase: median(answer["timings_ms"].get(phase, 0.0) for answer in told) for phase in told[0]["timings_ms"]}
    http = median(answer["waited"] - answer["took_ms"] for answer in told)
    return {**found, "took_ms": median(answer["took_ms"] for answer in told), "HTTP": http}


def _tell(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)
