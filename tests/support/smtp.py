"""A mail server for tests: it speaks just enough SMTP, and can say no or hang up at the worst moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


@dataclass
class MailServer:
    """Where it listens, what it got. `refuses` every recipient; `hangs_up` after the message without an answer."""

    port: int = 0
    refuses: bool = False
    hangs_up: bool = False
    received: list[str] = field(default_factory=list)


@contextmanager
def running_mail_server(*, refuses: bool = False, hangs_up: bool = False) -> Iterator[MailServer]:
    """A server on a free port, gone at the end."""
    state = MailServer(refuses=refuses, hangs_up=hangs_up)

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            converse(self, state)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()


def converse(handler: StreamRequestHandler, state: MailServer) -> None:
    """One connection, from the greeting to the end."""
    say(handler, "220 tests")
    while line := handler.rfile.readline():
        command = line.split()[0].upper() if line.split() else b""
        if command == b"DATA":
            say(handler, "354 go on")
            state.received.append(read_message(handler))
            if state.hangs_up:
                return
        if command == b"QUIT":
            say(handler, "221 bye")
            return
        say(handler, "550 not here" if command == b"RCPT" and state.refuses else "250 ok")


def read_message(handler: StreamRequestHandler) -> str:
    lines = iter(handler.rfile.readline, b".\r\n")
    return b"".join(lines).decode()


def say(handler: StreamRequestHandler, line: str) -> None:
    handler.wfile.write(f"{line}\r\n".encode())
