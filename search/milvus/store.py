"""The store: one collection a release, and the alias `products` that names the champion's.

    store = MilvusStore.from_settings(SearchSettings())
    store.write(rows, "r20261121-1")          # create, fill, index, verify; again: nothing, or what a kill left over
    engine = SearchEngine(encoder, store.open("r20261121-1", encoder.fingerprint), ranking)
    store.point_alias("r20261121-1")

An embedded store (a path) is read: `open` loads the rows, hands the store back and searches in process.
A server (a URI) is asked.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pymilvus import MilvusClient

from catalog.errors import EtalageError, NotReady, ReleaseNotFound
from search.collection import Collection
from search.memory import MemoryCollection
from search.milvus.change import CollectionChange, Held, held
from search.milvus.collection import MilvusCollection
from search.milvus.rows import fill, properties_of, read_rows, verify
from search.milvus.session import answering, connect, embedded
from search.rows import Rows
from search.settings import IndexChoice, SearchSettings
from search.stored import (
    ALIAS,
    COUNT,
    DIGEST,
    ENCODER,
    PREFIX,
    RELEASE,
    SNAPSHOT,
    check_finished,
    collection_name,
    is_finished,
    no_collection,
)

StoreKind = Literal["embedded", "server"]


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """One collection of the store. `products` is None where it was never finished."""

    release: str
    collection: str
    encoder: str
    snapshot: str
    products: int | None
    champion: bool


class MilvusStore:
    """The collections at `uri`: http://host:port, or a path that ends in .db. Threads may share it."""

    def __init__(
        self,
        uri: str,
        token: str = "",
        wait_s: float = 60.0,
        timeout_s: float = 20.0,
        index: IndexChoice = "auto",
        query_timeout_s: float | None = None,
    ) -> None:
        """`token`, `wait_s`, `timeout_s`, `index`: as in search.settings.

        With `query_timeout_s` the store is for a service: a server must connect, and answer what it is asked, in that
        time instead of `timeout_s`, and `close` ends the connection.
        """
        self.uri = uri
        self.kind: StoreKind = "server" if "://" in uri else "embedded"
        self._token = token
        self._wait_s = wait_s
        self._timeout_s = timeout_s
        self._query_timeout_s = query_timeout_s
        self._ask_s = timeout_s if query_timeout_s is None else query_timeout_s
        self._index: IndexChoice = index
        self._client: MilvusClient | None = None

    @classmethod
    def from_settings(cls, settings: SearchSettings) -> "MilvusStore":
        """The store that the environment names."""
        return cls(
            settings.uri,
            settings.milvus_token,
            settings.milvus_wait_s,
            settings.milvus_timeout_s,
            settings.milvus_index,
        )

    def write(self, rows: Rows, release: str) -> str:
        """Make the release's collection hold exactly `rows`; return its name.

        A finished collection with the same rows is left alone; an unfinished one is dropped and made again.
        Raises NotReady when the result is not what was written, EtalageError when the champion would change.
        """
        if not len(rows):
            raise NotReady("There is not one product to write: ingest a catalogue first.")
        name = collection_name(release)
        with self._session() as client:
            if client.has_collection(name):
                properties = properties_of(client, name)
                if COUNT in properties and properties[DIGEST] == rows.digest and properties[RELEASE] == release:
                    return name
                if _champion_collection(client) == name:
                    raise EtalageError(
                        f"Release {release} is the champion and holds other products: a release never changes, "
                        "so build a new one."
                    )
                client.drop_collection(name)
            fill(client, name, rows, release, self._index)
            verify(client, name, rows)
            client.alter_collection_properties(name, {COUNT: str(len(rows))})
        return name

    def open(self, release: str | None = None, encoder: str | None = None) -> Collection:
        """The collection of a release, by default the champion's, ready to be searched.

        Raises ReleaseNotFound when it is not there, NotReady when it was never finished, and EncoderMismatch when
        it was not built by the encoder with fingerprint `encoder`.
        """
        with self._session() as client:
            name, properties = self._finished(client, release, encoder)
            if self.kind == "server":
                client.load_collection(name, timeout=self._timeout_s)
                return MilvusCollection(client, self.uri, name, properties, self._ask_s)
            return MemoryCollection(read_rows(client, name, properties), name=name, release=properties[RELEASE])

    @contextmanager
    def asked(self, release: str | None = None) -> Iterator[MilvusCollection]:
        """The collection as Milvus itself searches it, the embedded one too: to measure it, not to serve from it."""
        with self._session() as client:
            name, properties = self._finished(client, release, None)
            client.load_collection(name)
            yield MilvusCollection(client, self.uri, name, properties, self._timeout_s)

    def rows(self, release: str | None = None) -> Rows:
        """Every row of a release's collection. Raises as `open`."""
        with self._session() as client:
            return read_rows(client, *self._finished(client, release, None))

    def held(self, release: str) -> Held:
        """What a release's collection says of its rows. Raises as `open`."""
        with self._session() as client:
            return held(self._finished(client, release, None)[1])

    @contextmanager
    def changing(self, release: str, encoder: str) -> Iterator[CollectionChange]:
        """A release's collection, to be changed where it stands; an embedded store is held for as long. Raises as
        `open`. Who changes it holds flows.durable.one_writer."""
        with self._session() as client:
            yield CollectionChange(client, *self._finished(client, release, encoder))

    def has_release(self, release: str) -> bool:
        """Whether the release's collection is there and finished."""
        with self._session() as client:
            name = collection_name(release)
            return bool(client.has_collection(name)) and is_finished(properties_of(client, name), release)

    def releases(self) -> tuple[StoredRelease, ...]:
        """All collections of releases, by name, unfinished ones too; none where the embedded store is not there."""
        if self._is_missing:
            return ()
        with self._session() as client:
            champion = _champion_collection(client)
            names = sorted(name for name in client.list_collections() if name.startswith(PREFIX))
            return tuple(_stored(name, properties_of(client, name), name == champion) for name in names)

    def champion(self) -> str | None:
        """The release that the alias names; None when nothing was promoted yet."""
        with self._session() as client:
            name = _champion_collection(client)
            return None if name is None else properties_of(client, name)[RELEASE]

    def point_alias(self, release: str) -> None:
        """Point the alias at a release's collection, in one move. Raises ReleaseNotFound, NotReady."""
        with self._session() as client:
            name, _ = self._finished(client, release, None)
            before = _champion_collection(client)
            if before is None:
                client.create_alias(name, ALIAS)
            elif before != name:
                client.alter_alias(name, ALIAS)

    def drop(self, release: str) -> None:
        """Remove a retired release's collection; one that is gone already is no error. Refuses the champion's."""
        name = collection_name(release)
        if self._is_missing:
            return
        with self._session() as client:
            if _champion_collection(client) == name:
                raise EtalageError(f"Release {release} is the champion: promote another one before it is dropped.")
            if client.has_collection(name):
                client.drop_collection(name)

    def close(self) -> None:
        """Close the connection to a server, which its open collections share. An embedded one is never held."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def _is_missing(self) -> bool:
        """Whether this is an embedded store that a session would make."""
        return self.kind == "embedded" and not Path(self.uri).exists()

    @contextmanager
    def _session(self) -> Iterator[MilvusClient]:
        if self.kind == "embedded":
            with embedded(Path(self.uri), self._wait_s) as client:
                yield client
            return
        if self._client is None:
            self._client = connect(self.uri, self._token, self._ask_s, own=self._query_timeout_s is not None)
        with answering(self.uri):
            yield self._client

    def _finished(
        self, client: MilvusClient, release: str | None, encoder: str | None
    ) -> tuple[str, Mapping[str, str]]:
        if release is None:
            name = _champion_collection(client, self._ask_s)
            if name is None:
                raise ReleaseNotFound(f"No release in {self.uri} was promoted yet.")
        else:
            name = collection_name(release)
            if not client.has_collection(name, timeout=self._ask_s):
                raise no_collection(release, self.uri)
        properties = properties_of(client, name, self._ask_s)
        check_finished(name, properties, release, encoder)
        return name, properties


def _champion_collection(client: MilvusClient, timeout_s: float | None = None) -> str | None:
    """The collection that the alias names."""
    if not client.has_collection(ALIAS, timeout=timeout_s):
        return None
    name: str = client.describe_collection(ALIAS, timeout=timeout_s)["collection_name"]
    return name


def _stored(name: str, properties: Mapping[str, str], champion: bool) -> StoredRelease:
    return StoredRelease(
        release=properties.get(RELEASE, name.removeprefix(PREFIX)),
        collection=name,
        encoder=properties.get(ENCODER, ""),
        snapshot=properties.get(SNAPSHOT, ""),
        products=int(properties[COUNT]) if COUNT in properties else None,
        champion=champion,
    )
