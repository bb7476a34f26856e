"""What a picture's URL may be: the one strict reading of it, the hosts of the list, the addresses of the open net."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from catalog.errors import InvalidQuery, UrlRefused
from catalog.fetching.addresses import may_connect
from catalog.fetching.hosts import AllowedHost, Target
from catalog.fetching.urls import UrlRules, is_url, read_target, redirected, spelled

ALLOWED = tuple(
    AllowedHost.parse(entry)
    for entry in ("photos.example", "*.cdn.example", "shop.example:8443", "192.0.2.7", "[2001:db8::7]")
)
RULES = UrlRules(ALLOWED)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://photos.example/a.jpg", "photos.example", 443, "/a.jpg"),
        ("HTTPS://Photos.EXAMPLE/A.jpg", "photos.example", 443, "/A.jpg"),
        ("https://photos.example", "photos.example", 443, "/"),
        ("https://photos.example?id=1", "photos.example", 443, "/?id=1"),
        ("https://photos.example:443/a", "photos.example", 443, "/a"),
        ("https://a.b.cdn.example/x", "a.b.cdn.example", 443, "/x"),
        ("https://shop.example:8443/x", "shop.example", 8443, "/x"),
        ("https://192.0.2.7/x", "192.0.2.7", 443, "/x"),
        ("https://[2001:db8::7]/x", "2001:db8::7", 443, "/x"),
        ("https://photos.example/a@b/%E7%BA%A2?u=http://10.0.0.1/#part", "photos.example", 443,
         "/a@b/%E7%BA%A2?u=http://10.0.0.1/"),
    ],
)  # fmt: skip
def test_an_allowed_url_is_read_as_what_is_asked_for(url: str, host: str, port: int, path: str):
    assert read_target(url, RULES) == Target("https", host, port, path)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/", "https://cdn.example/", "https://evilcdn.example/", "https://photos.example.evil.org/",
        "https://photos.example:8443/", "https://shop.example/", "https://photos.example:0/", "http://photos.example/",
        "http://photos.example:443/", "file:///etc/passwd", "ftp://photos.example/", "gopher://photos.example:443/_x",
        "https://127.0.0.1/", "https://localhost/", "https://2130706433/", "https://0177.0.0.1/", "https://0x7f.1/",
        "https://127.1/", "https://0/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::]/",
        "https://169.254.169.254/latest/meta-data/", "https://192.0.2.07/", "https://192.0.2.7.nip.io/",
        "https://photos.example./", "https://.photos.example/",
    ],
)  # fmt: skip
def test_what_is_not_in_the_list_is_refused(url: str):
    with pytest.raises((UrlRefused, InvalidQuery)):
        read_target(url, RULES)


@pytest.mark.parametrize(
    "url",
    [
        "", "photos.example/a.jpg", "//photos.example/a", "https:photos.example", "https:///a", "https://", "data:,x",
        "https://photos.example\\@evil.example/", "https://photos.example /a", "https://photos.example/a b",
        "https://photos.example/红", "https://photos.example/\r\nX-Evil: 1", "https://ｐhotos.example/",
        "https://photos.example:port/", "https://photos.example:999999/", "https://[photos.example]/",
        "https://[fe80::1%25eth0]/", "https://photos.example/" + "a" * 2048,
        "https://photos.example%2eevil.example/", "https://photos.example%00/",
    ],
)  # fmt: skip
def test_what_is_no_url_is_told_so(url: str):
    with pytest.raises(InvalidQuery, match=r"^The URL is not a URL|^The URL holds a user name"):
        read_target(url, RULES)


@pytest.mark.parametrize(
    "url",
    ["https://user@photos.example/", "https://photos.example@127.0.0.1/", "https://photos.example:443@evil.example/",
     "https://a:b@photos.example/", "https://@photos.example/"],
)  # fmt: skip
def test_a_url_with_a_login_is_refused(url: str):
    with pytest.raises(InvalidQuery, match="user name or password"):
        read_target(url, RULES)


def test_without_a_list_every_url_is_refused_and_http_needs_its_setting():
    with pytest.raises(UrlRefused, match="not one that pictures are fetched from"):
        read_target("https://photos.example/", replace(RULES, hosts=()))
    with pytest.raises(UrlRefused, match="must begin with https://"):
        read_target("http://photos.example/", RULES)
    assert read_target("http://photos.example/", replace(RULES, plain=True)).port == 80


def test_a_redirect_is_read_by_the_same_rules():
    before = read_target("https://photos.example/a/b", RULES)
    assert redirected(before, "../c?d", RULES).path == "/c?d"
    assert redirected(before, "//x.cdn.example/e", RULES).host == "x.cdn.example"
    for location in ("http://photos.example/", "//evil.example/", "file:///a", "https://a@photos.example/", "//[::1/"):
        with pytest.raises(UrlRefused, match="leads to another place"):
            redirected(before, location, RULES)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "100.100.100.200", "192.0.0.8", "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "168.63.129.16", "192.88.99.1", "::", "::1", "::127.0.0.1", "::ffff:8.8.8.8",
        "::ffff:127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254",
        "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "100::1", "4000::1",
    ],
)  # fmt: skip
def test_no_connection_goes_anywhere_but_to_the_open_net(address: str):
    assert not may_connect(ip_address(address), ())
    network = ip_network(address)
    assert may_connect(ip_address(address), (network,)), "a setting allows it"


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_open_net_may_be_connected_to(address: str):
    assert may_connect(ip_address(address), ())


def test_a_network_that_is_allowed_opens_no_other():
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert may_connect(ip_address("10.1.2.3"), allowed) and may_connect(ip_address("fd00::7"), allowed)
    for address in ("10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3", "fe80::1"):
        assert not may_connect(ip_address(address), allowed)


@pytest.mark.parametrize(
    ("written", "wired"),
    [
        ("https://photos.example/a.jpg?b=%20&c=1#d", "https://photos.example/a.jpg?b=%20&c=1#d"),
        (" https://photos.example/红 a|b.jpg ", "https://photos.example/%E7%BA%A2%20a%7Cb.jpg"),
        ("//photos.example/a.jpg", "https://photos.example/a.jpg"),
        ("http://bücher.example:8080/ü", "http://xn--bcher-kva.example:8080/%C3%BC"),
        ("HTTPS://photos.example", "HTTPS://photos.example"),
    ],
)
def test_what_a_shop_writes_is_spelled_as_it_is_asked_for(written: str, wired: str):
    assert is_url(written) and spelled(written) == wired
    read_target(wired, UrlRules(plain=True))


@pytest.mark.parametrize(
    "name", ["photos/a.jpg", "a.jpg", "https.jpg", "file:///etc/passwd", "data:image/png;base64,x", ""]
)
def test_a_name_of_a_file_is_no_url(name: str):
    assert not is_url(name)


@pytest.mark.parametrize(
    "url",
    ["http://127.1/a", "http://2130706433/", "https://0x7f.1/", "https://a..example/", "https://photos.example:0/"],
)
def test_any_host_means_hosts_that_are_written_as_hosts(url: str):
    with pytest.raises(UrlRefused, match="not one that pictures are fetched from"):
        read_target(url, UrlRules(plain=True))
