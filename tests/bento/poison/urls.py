"""Image URLs that would lead the service to itself, to its neighbours or out of HTTP (allowed hosts: running.py)."""

from tests.bento.hostile import RED, fields, form, part
from tests.bento.poison.case import Poison

NOT_THERE = (  # in the list, and not on the open net
    "https://localhost/", "https://localhost/admin", "https://169.254.169.254/latest/meta-data/", "https://[::1]/",
    "https://photos.example/red.jpg", "https://127.0.0.1.cdn.example/",
)  # fmt: skip
NOT_LISTED = (
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://017700000001/",
    "https://0177.0.0.1/", "https://0/", "https://0.0.0.0/", "https://[::]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[64:ff9b::7f00:1]/", "https://10.0.0.1/",
    "https://192.168.0.1/", "https://metadata.google.internal/", "https://evil.example/", "https://cdn.example/",
    "https://photos.example.evil.org/", "https://evilcdn.example/", "https://photos.example./",
    "https://photos.example:22/", "https://localhost:3000/metrics", "https://localhost:6379/",
    "http://photos.example/", "http://localhost:3000/", "file://localhost/etc/passwd",
    "ftp://photos.example/a.jpg", "gopher://localhost:6379/_FLUSHALL", "dict://localhost:11211/stat",
    "unix://photos.example/var/run/docker.sock", "ldap://photos.example/",
)  # fmt: skip
NO_URL = (
    "nonsense", "file:///etc/passwd", "jar:http://photos.example/!/",
    "photos.example", "//photos.example/", "https:photos.example", "https:/photos.example", "https://",
    "https:///etc/passwd", "data:image/png;base64,AAAA", "javascript:alert(1)", "https://photos.example/a b",
    "https://photos.example/红裙.jpg", "https://ⓟhotos.example/", "https://photos。example/", "https://①⑦.0.0.1/",
    "https://user@photos.example/", "https://photos.example@127.0.0.1/", "https://photos.example:443@127.0.0.1/",
    "https://a:b@localhost/", "https://photos.example\\@127.0.0.1/", "https://127.0.0.1\\.cdn.example/",
    "https://photos.example:443:22/", "https://photos.example:/", "https://photos.example:-1/",
    "https://[fe80::1%25lo]/", "https://[::1", "https://::1/", "https://photos.example%00.evil.example/",
    "https://photos.example%2f@evil.example/", "https://%6c%6f%63%61%6c%68%6f%73%74/", "https://*/",
    "https://photos.example/" + "a" * 5_000, "https://" + "a." * 5_000 + "cdn.example/",
    "\u202ehttps://photos.example/", "https://photos.example/\u2028",
)  # fmt: skip
CONTROLS = ("https://photos.example/\r\nX-Evil: 1", "https://photos.example/\0", "https://photos\t.example/")
SHAPES = (["https://photos.example/"], {"url": "https://photos.example/"}, 7, True)


def entries() -> list[Poison]:
    """All of them."""
    found = []
    for allowed, urls in (((403,), (*NOT_THERE, *NOT_LISTED)), ((400, 403), NO_URL), ((400,), CONTROLS)):
        for url in urls:
            found.append(Poison(f"url: {url[:60]!r}", allowed, lambda url=url: fields(text="red", image_url=url)))
    found += [
        Poison(f"url: {shape!r}", (422,), lambda shape=shape: fields(text="red", image_url=shape)) for shape in SHAPES
    ]
    for url in (*NOT_THERE[:2], *NOT_LISTED[:2]):
        found.append(
            Poison(f"url in a form: {url}", (403,), lambda url=url: form(RED, part("image_url", url.encode())))
        )
    return [
        *found,
        Poison("url: a file", (422,), lambda: form(RED, part("image_url", b"https://photos.example/", "a.url"))),
        Poison("url: alone", (403,), lambda: fields(image_url="https://localhost/")),
        Poison("url: of nothing", (200,), lambda: fields(text="red dress", image_url="", k=3), hits=3),
        Poison("url: on /similar", (422,), lambda: fields(id="p0", image_url=NOT_LISTED[0]), path="/similar"),
    ]
