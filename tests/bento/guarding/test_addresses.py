"""Which addresses strangers reach, and what this process listens on."""

import socket
from pathlib import Path

import pytest

from bento.guarding import addresses
from bento.guarding.addresses import is_loopback, listening, strangers_reach
from catalog.errors import NotReady


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.7", False),
        ("192.168.1.4", False),
        ("169.254.1.1", False),
        ("::ffff:10.0.0.7", False),
        ("fe80::1%lo", False),
        ("shop.example.org", False),
        ("localhost.example.org", False),
        ("127.1", False),
        ("2130706433", False),
    ],
)
def test_only_what_surely_is_this_machine_counts_as_loopback(host: str, own: bool):
    assert is_loopback(host) is own
    assert strangers_reach([host]) == ([] if own else [host])


@pytest.mark.parametrize(
    ("family", "host"),
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::"),
    ],
)
def test_a_bound_socket_is_seen_until_it_is_closed(family: socket.AddressFamily, host: str):
    before = listening()
    with socket.socket(family) as bound:
        bound.bind((host, 0))  # and never listens: nobody can connect
        assert host in listening()
    assert listening() == before


def test_connections_datagrams_pairs_and_files_are_not_taken_for_it_and_stay_open(tmp_path: Path):
    before = listening()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket() as idle,
        (tmp_path / "file").open("w") as file,
    ):
        accepted, _ = server.accept()
        datagrams.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "socket"))
        assert set(listening()) == {*before, "127.0.0.1"}
        server.close()
        assert listening() == before
        client.sendall(b"hello")
        assert accepted.recv(5) == b"hello"
        accepted.close()
        assert idle.fileno() > 0 and file.write("x")


def test_looking_leaves_no_file_open():
    open_files = len(list(addresses.OPEN_FILES.iterdir()))
    for _ in range(50):
        listening()
    assert len(list(addresses.OPEN_FILES.iterdir())) == open_files


def test_where_it_cannot_be_known_the_service_does_not_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(addresses, "OPEN_FILES", tmp_path / "none")
    with pytest.raises(NotReady, match="does not tell"):
        listening()
