"""A web server and a mail server on this machine that keep what they are sent."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def web_server(status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """Its address, and the bodies of what was posted; it answers `status`."""
    bodies: list[bytes] = []

    class Keeping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", bodies


@contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """Its port, and the mails that it took: as much of SMTP (RFC 5321) as a sender without a password needs."""
    mails: list[EmailMessage] = []

    class Keeping(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.answer("220 here")
            while line := self.rfile.readline():
                verb = line.split()[0].upper().decode() if line.split() else ""
                if verb == "DATA":
                    self.answer("354 go on")
                    mails.append(self.mail())
                self.answer("221 bye" if verb == "QUIT" else "250 ok")

        def mail(self) -> EmailMessage:
            data = b""
            while (line := self.rfile.readline()) != b".\r\n":
                data += line.removeprefix(b".") if line.startswith(b"..") else line
            return message_from_bytes(data, policy=policy.default)  # type: ignore[return-value]

        def answer(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Keeping) as server, _running(server):
        yield server.server_address[1], mails


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
