"""Downloads of an ingest against a server that fails, lies and changes its pictures: real sockets, real disk."""

import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from catalog.errors import EtalageError, InvalidMedia, InvalidQuery, MediaTooLarge, UrlFailed, UrlRefused
from catalog.fetching import downloads as downloads_module
from catalog.fetching.downloads import Downloads
from catalog.fetching.settings import MediaSettings
from tests.catalog.fetching.picture_server import HOST, REDIRECTS, Names, Shelved, Site, Wires, pictures

PUBLIC = "93.184.216.34"


def drawn(colour: tuple[int, int, int] = (200, 30, 30), side: int = 32) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(stream, "PNG")
    return stream.getvalue()


RED = drawn()


@pytest.fixture
def site() -> Iterator[Site]:
    with pictures(RED) as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """How long the downloads wanted to wait; nobody does."""
    return []


class World:
    """Downloads into one folder, from a public name whose address is connected to the server on this machine."""

    def __init__(self, site: Site, folder: Path, waits: list[float]) -> None:
        self.site, self.folder, self.waits = site, folder, waits
        self.wires = Wires()
        self.names = Names({HOST: [[PUBLIC]]})

    def downloads(self, **changes: object) -> Downloads:
        async def pause(seconds: float) -> None:
            self.waits.append(seconds)

        settings = MediaSettings.model_validate({"retries": 2, **changes})
        return Downloads(settings, self.folder, resolve=self.names.resolve, backend=self.wires, pause=pause)

    def get(self, path: str, **changes: object) -> bytes:
        """One picture, in a run of its own."""
        with self.downloads(**changes) as downloads:
            return downloads.fetch(self.site.url(path))

    def shelve(self, count: int, **named: str) -> list[str]:
        """That many different pictures; their URLs."""
        for number in range(count):
            self.site.shelf[f"/{number}.png"] = Shelved(drawn((number % 256, number // 256, 9)), **named)
        return [self.site.url(f"/{number}.png") for number in range(count)]


@pytest.fixture
def world(site: Site, tmp_path: Path, waits: list[float]) -> World:
    return World(site, tmp_path / "downloads", waits)


def test_a_picture_is_fetched_whole_from_the_address_that_was_checked(world: World) -> None:
    assert world.get("/red.jpg") == RED
    assert world.wires.connected == [PUBLIC]
    headers = world.site.asked[0][2]
    assert (headers["accept"], headers["accept-encoding"]) == ("image/*", "identity")
    assert "cookie" not in headers and "user-agent" not in headers


def test_many_come_as_they_arrive_each_with_its_bytes_or_why_not(world: World) -> None:
    urls = world.shelve(40)
    hopeless = {
        world.site.url("/none.jpg"): "status 404",
        "http://127.0.0.1/a.png": "no public address",
        "file:///etc/passwd": "not a URL|must begin",
        "http://[::1": "not a URL",
    }
    with world.downloads() as downloads:
        arrived = list(downloads.many([*urls, *hopeless, *urls[:3]]))
    assert len(arrived) == 47
    for picture in arrived:
        if picture.url in hopeless:
            assert picture.data is None
            with pytest.raises((UrlRefused, UrlFailed, InvalidQuery), match=hopeless[picture.url]):
                raise picture.refusal or AssertionError
        else:
            number = urls.index(picture.url)
            assert picture.data == world.site.shelf[f"/{number}.png"].data
    assert sorted(set(world.site.paths())) == sorted({*world.site.shelf, "/none.jpg"})
    assert len(world.site.paths()) == 41  # none twice


def test_no_more_are_on_their_way_than_may_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads_module, "AHEAD", 8)
    named = 0

    def urls() -> Iterator[str]:
        nonlocal named
        for url in world.shelve(50):
            named += 1
            yield url

    taken = 0
    with world.downloads() as downloads:
        for _ in downloads.many(urls()):
            assert named - taken <= 8
            taken += 1
    assert (named, taken) == (50, 50)


@pytest.mark.parametrize(("per_host", "at_once", "most"), [(3, 16, 3), (16, 2, 2)])
def test_a_host_is_asked_for_a_few_pictures_at_a_time(world: World, per_host: int, at_once: int, most: int) -> None:
    world.site.slow = 0.02
    with world.downloads(per_host=per_host, at_once=at_once) as downloads:
        assert all(picture.data for picture in downloads.many(world.shelve(24)))
    assert 1 < world.site.most <= most


def test_a_second_ingest_asks_only_whether_something_changed(world: World) -> None:
    urls = world.shelve(5, etag='"v1"', modified="Sat, 01 Aug 2026 10:00:00 GMT")
    with world.downloads() as downloads:
        first = {picture.url: picture.data for picture in downloads.many(urls)}
    assert downloads.counts == {"downloaded": 5}
    world.site.asked.clear()
    world.site.shelf["/2.png"] = Shelved(drawn((1, 2, 3)), etag='"v2"')
    with world.downloads() as downloads:
        second = {picture.url: picture.data for picture in downloads.many(urls)}
    assert downloads.counts == {"unchanged": 4, "downloaded": 1}
    assert second == {**first, urls[2]: drawn((1, 2, 3))}
    for _, _, headers in world.site.asked:
        assert headers["if-none-match"] == '"v1"'
        assert headers["if-modified-since"] == "Sat, 01 Aug 2026 10:00:00 GMT"


def test_a_picture_without_a_version_is_fetched_again(world: World) -> None:
    world.shelve(1)
    for _ in range(2):
        assert world.get("/0.png") == drawn((0, 0, 9))
    assert [("if-none-match" in headers, "if-modified-since" in headers) for *_, headers in world.site.asked] == [
        (False, False)
    ] * 2


def test_what_may_be_had_later_is_tried_again_and_waited_for_as_long_as_the_server_asks(world: World) -> None:
    later = [(429, {"Retry-After": "7"}), (503, {})]
    world.site.shelf["/0.png"] = Shelved(RED, first=later)
    assert world.get("/0.png", backoff=0.25) == RED
    assert len(world.site.asked) == 3
    assert 7 in world.waits and 0.5 in world.waits  # what it asked for; then its own, doubled once


@pytest.mark.parametrize(
    ("first", "asked", "told"),
    [
        ([(500, {})] * 9, 3, "status 500"),
        ([(404, {})] * 9, 1, "status 404"),
        ([(403, {})] * 9, 1, "status 403"),
        ([(429, {"Retry-After": "3600"})] * 9, 1, "status 429"),
        ([(503, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})] * 9, 1, "status 503"),
        ([(503, {"Retry-After": "soon"})] * 9, 3, "status 503"),
        ([(0, {})] * 9, 3, "could not be asked"),
    ],
)
def test_what_stays_away_is_told_and_not_asked_for_longer_than_it_may_help(
    world: World, first: list[tuple[int, dict[str, str]]], asked: int, told: str
) -> None:
    world.site.shelf["/0.png"] = Shelved(RED, first=first)
    with pytest.raises(UrlFailed, match=told):
        world.get("/0.png")
    assert len(world.site.asked) == asked


def test_a_connection_that_breaks_half_way_leaves_nothing_half_written(world: World) -> None:
    world.site.shelf["/0.png"] = Shelved(RED, first=[(0, {})])
    assert world.get("/0.png") == RED
    assert [path.suffix for path in world.folder.rglob("*") if path.is_file()] == [".picture"]


def test_a_host_that_does_not_answer_is_given_up_and_the_others_go_on(world: World) -> None:
    world.names.answers["gone.example"] = [["93.184.216.35"]]
    world.wires.broken = frozenset({"93.184.216.35"})
    gone = [f"http://gone.example:{world.site.port}/{number}.png" for number in range(50)]
    good = world.shelve(10)
    with world.downloads(give_up=6, per_host=2) as downloads:
        arrived = list(downloads.many([url for pair in zip(gone, good * 5, strict=True) for url in pair]))
    assert sum(picture.data is not None for picture in arrived) == 50
    sentences = [str(picture.refusal) for picture in arrived if picture.data is None]
    assert len(sentences) == 50
    assert set(sentences) == {"The server of the URL could not be asked for the picture."}
    assert downloads.counts["not asked, as their server was silent"] >= 42
    assert world.wires.connected.count("93.184.216.35") <= 6 + 2


def test_a_host_that_answers_wrongly_is_not_given_up(world: World) -> None:
    wrong = [world.site.url(f"{path}?{number}") for number in range(4) for path in ("/gzip", "/empty", "/none.jpg")]
    with world.downloads(give_up=2) as downloads:
        assert [picture.data for picture in downloads.many(wrong)] == [None] * 12
        assert downloads.fetch(world.site.url("/red.jpg")) == RED
    assert len(world.site.asked) == 13


def test_a_picture_from_before_is_kept_while_its_server_is_away_and_not_when_it_says_that_it_is_gone(
    world: World,
) -> None:
    (url,) = world.shelve(1, etag='"v1"')
    assert world.get("/0.png") == drawn((0, 0, 9))
    for first in ([(503, {})] * 9, [(0, {})] * 9):
        world.site.shelf["/0.png"].first = first
        with world.downloads() as downloads:
            assert downloads.fetch(url) == drawn((0, 0, 9))
        assert downloads.counts == {"kept, as the server did not answer": 1}
    world.site.shelf["/0.png"].first = [(410, {})]
    with pytest.raises(UrlFailed, match="status 410"):
        world.get("/0.png")


def test_an_unknown_name_may_be_known_a_moment_later(world: World) -> None:
    world.names.answers[HOST] = [[], [PUBLIC]]
    assert world.get("/red.jpg") == RED
    with pytest.raises(UrlFailed, match="name of the URL's server is not known"), world.downloads() as downloads:
        downloads.fetch("https://nowhere.example/a.png")


@pytest.mark.parametrize("path", sorted(set(REDIRECTS) - {"/here", "/there", "/round", "/nowhere", "/elsewhere"}))
def test_a_redirect_to_a_private_or_strange_place_is_refused_and_nobody_is_asked(world: World, path: str) -> None:
    with pytest.raises(UrlRefused, match=r"leads to another place|no public address"):
        world.get(path)
    assert (world.site.paths(), world.wires.connected) == ([path], [PUBLIC])


def test_a_redirect_to_a_listed_network_is_refused_where_the_list_of_hosts_lacks_it(world: World) -> None:
    with pytest.raises(UrlRefused, match="leads to another place"):
        world.get("/loopback", hosts=f"{HOST}:{world.site.port}", networks="127.0.0.0/8")
    assert world.site.paths() == ["/loopback"]


def test_private_addresses_are_asked_only_where_a_setting_allows_it(world: World) -> None:
    url = f"http://127.0.0.1:{world.site.port}/red.jpg"
    with pytest.raises(UrlRefused, match="no public address"), Downloads(MediaSettings(), world.folder) as downloads:
        downloads.fetch(url)
    assert world.site.asked == []
    allowed = MediaSettings.model_validate({"networks": "127.0.0.0/8"})
    with Downloads(allowed, world.folder) as downloads:  # the system's own resolver and sockets
        assert downloads.fetch(url) == RED


def test_only_listed_hosts_are_asked_where_there_is_a_list(world: World) -> None:
    with pytest.raises(UrlRefused, match="not one that pictures are fetched from"):
        world.get("/red.jpg", hosts="cdn.example")
    assert world.get("/red.jpg", hosts=f"cdn.example, {HOST}:{world.site.port}") == RED


def test_ten_thousand_redirects_are_five(world: World) -> None:
    with pytest.raises(UrlFailed, match="redirected more than 5 times"):
        world.get("/farther/1")
    assert world.site.paths() == [f"/farther/{number}" for number in range(1, 7)]


@pytest.mark.parametrize(
    ("path", "error", "told"),
    [
        ("/long", MediaTooLarge, "larger than"),
        ("/endless", MediaTooLarge, "larger than"),
        ("/gzip", UrlFailed, "compressed, though asked not to"),
        ("/drip", UrlFailed, r"did not arrive within 0\.5 seconds"),
        ("/silent", UrlFailed, r"did not arrive within 0\.5 seconds"),
        ("/headers", UrlFailed, "could not be asked"),
        ("/short", UrlFailed, "could not be asked"),
        ("/noise.http", UrlFailed, "could not be asked"),
        ("/empty", InvalidMedia, "is empty"),
    ],
)
def test_a_hostile_server_gets_no_more_than_the_limits(
    world: World, path: str, error: type[Exception], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads_module, "MAX_BYTES", 2**20)
    with pytest.raises(error, match=told):
        world.get(path, timeout=0.5 if "0" in told else 30.0, retries=0)
    assert list(world.folder.rglob("*.picture")) == []


def test_a_picture_that_is_longer_than_its_server_says_ends_where_it_said(world: World) -> None:
    assert world.get("/cut") == RED[: len(RED) // 2]  # the decoder refuses it


def test_a_url_is_asked_for_as_browsers_write_it(world: World) -> None:
    world.site.shelf["/%E7%BA%A2%20%7C1.png"] = Shelved(RED)
    assert world.get("/红 |1.png?a=b%20c") == RED
    assert world.site.paths() == ["/%E7%BA%A2%20%7C1.png?a=b%20c"]


def test_an_ingest_that_was_killed_goes_on_with_what_it_had(world: World) -> None:
    urls = world.shelve(60)
    code = f"""
        import os, signal
        from pathlib import Path
        from catalog.fetching.downloads import Downloads
        from catalog.fetching.settings import MediaSettings
        settings = MediaSettings.model_validate({{"networks": "127.0.0.0/8", "at_once": 4}})
        with Downloads(settings, Path({str(world.folder)!r})) as downloads:
            for number, picture in enumerate(downloads.many({[url.replace(HOST, "127.0.0.1") for url in urls]!r})):
                print(picture.url, flush=True)
                if number == 20: os.kill(os.getpid(), signal.SIGKILL)
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, check=False, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    had = killed.stdout.split()
    assert len(had) == 21
    world.site.asked.clear()
    local = [url.replace(HOST, "127.0.0.1") for url in urls]
    settings = MediaSettings.model_validate({"networks": "127.0.0.0/8"})
    with Downloads(settings, world.folder) as downloads:
        arrived = {picture.url: picture.data for picture in downloads.many(local)}
    assert [arrived[url] for url in local] == [shelved.data for shelved in world.site.shelf.values()]
    again = {f"http://127.0.0.1:{world.site.port}{path}" for path in world.site.paths()}
    assert again.isdisjoint(had) and len(again) == downloads.counts["downloaded"] <= 60 - 21
    with Downloads(settings, world.folder) as downloads:  # that one ended, so all are asked about
        assert len(list(downloads.many(local))) == 60
    assert downloads.counts == {"downloaded": 60}  # this server names no versions


def test_a_file_that_was_damaged_on_disk_is_fetched_again(world: World) -> None:
    (url,) = world.shelve(1, etag='"v1"')
    for damage in (lambda data: data[:-9], lambda data: data[:-9] + b"x" * 9, lambda data: b"", lambda data: b"{}\n"):
        assert world.get("/0.png") == drawn((0, 0, 9))
        (path,) = world.folder.rglob("*.picture")
        path.write_bytes(damage(path.read_bytes()))
    assert world.get("/0.png") == drawn((0, 0, 9))
    assert downloads_of(world, url) == {"unchanged": 1}


def downloads_of(world: World, url: str) -> dict[str, int]:
    with world.downloads() as downloads:
        downloads.fetch(url)
    return dict(downloads.counts)


def test_what_no_ingest_asked_for_in_a_long_time_is_deleted(world: World) -> None:
    world.shelve(2)
    world.get("/0.png")
    world.get("/1.png")
    kept = {path: path.read_bytes() for path in world.folder.rglob("*.picture")}
    (old,) = (path for path, content in kept.items() if b"/0.png" in content)
    os.utime(old, (1.0, 1.0))
    world.get("/1.png", cache_days=30)
    assert set(world.folder.rglob("*.picture")) == kept.keys() - {old}


def test_nothing_is_made_on_disk_until_something_is_asked_for(world: World) -> None:
    with world.downloads():
        pass
    assert not world.folder.exists()


def test_where_nothing_can_be_kept_is_told_in_one_sentence(world: World) -> None:
    world.folder.write_text("a file where the folder should be")
    with pytest.raises(EtalageError, match=r"^Downloaded pictures cannot be kept in .*downloads: .*\.$"):
        world.get("/red.jpg")
