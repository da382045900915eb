"""A worker of the web server whose threads see whole requests only: who sends slowly, or nothing, holds no thread.

gunicorn's own would let a thread wait for every byte. Here its loop waits, for all connections at once, and a request
has a deadline. What a request is, gunicorn alone decides: this only knows when all of one is there, and where it is
mistaken the thread finds an end instead of waiting (docs/adr/0013-web-server.md).
"""

import re
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from socket import MSG_DONTWAIT, SHUT_WR
from typing import Any

from django.conf import settings
from gunicorn.http.unreader import IterUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import _DEFER, ThreadWorker  # type: ignore[import-untyped]

from config.group_commit import Answered, GroupCommit, looks_like_delivery

# From the first byte of the head to the last of the body; a silence is ended sooner (config/serving.py: keepalive).
REQUEST_SECONDS = 20
# For who does not fetch the answer.
ANSWER_SECONDS = 20
# What is still read of a request that is answered.
LINGER_SECONDS, DISCARDED_MAX_BYTES = 2, 4 * 1024 * 1024
HEAD_MAX_BYTES = 64 * 1024
PIECE_BYTES = 64 * 1024
HEAD_END, LINE_END = b"\r\n\r\n", b"\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
TOO_SLOW, TOO_LONG = "408 Request Timeout", "431 Request Header Fields Too Large"


class IncomingRequest:
    """What has arrived of a request. `is_whole`: all of it; `is_over`: no more is waited for."""

    def __init__(self, begun_with: bytes) -> None:
        self.data, self.deadline = bytearray(begun_with), time.monotonic() + REQUEST_SECONDS
        self.is_whole = self.is_over = False
        self._body_at = self._ends_at = 0
        self._chunk_at: int | None = None
        self.look()

    @property
    def has_head(self) -> bool:
        return self._body_at > 0

    @property
    def is_head_too_long(self) -> bool:
        return not self.has_head and len(self.data) > HEAD_MAX_BYTES

    @property
    def awaits_leave(self) -> bool:
        """Whether the client asks if it may send its body."""
        return len(self.data) == self._body_at > 0 and bool(EXPECTS.search(self.data))

    def add(self, piece: bytes) -> None:
        """b"": the client has said that no more will come."""
        self.data += piece
        self.is_over = not piece
        self.look()

    def look(self) -> None:
        """Find out whether there is enough."""
        if not self.has_head:
            self._read_head()
        if self.has_head and not self.is_whole:
            self.is_whole = self._has_body()
        is_long = self.has_head and len(self.data) - self._body_at > settings.STRIPE_WEBHOOK_MAX_BYTES
        self.is_over = self.is_over or self.is_whole or is_long

    def _read_head(self) -> None:
        end = self.data.find(HEAD_END)
        if end < 0:
            return
        self._body_at = self._ends_at = end + len(HEAD_END)
        if CHUNKED.search(self.data, 0, self._body_at):
            self._chunk_at = self._body_at
        elif length := LENGTH.search(self.data, 0, self._body_at):
            self._ends_at += int(length[1])
            # Whoever announces too much is told so at once.
            self.is_over = int(length[1]) > settings.STRIPE_WEBHOOK_MAX_BYTES

    def _has_body(self) -> bool:
        return len(self.data) >= self._ends_at if self._chunk_at is None else self._has_last_chunk(self._chunk_at)

    def _has_last_chunk(self, at: int) -> bool:
        """Whether the chunks are there to their end; also where they are broken, for gunicorn to say so."""
        while (line_end := self.data.find(LINE_END, at)) >= 0:
            try:
                size = int(self.data[at:line_end].partition(b";")[0], 16)
            except ValueError:
                return True
            if size <= 0:
                return self.data.find(HEAD_END, line_end) >= 0
            after = line_end + len(LINE_END) + size + len(LINE_END)
            if after > len(self.data):
                break
            self._chunk_at = at = after
        return False


class Worker(ThreadWorker):
    """gunicorn's threads, behind a loop that gathers requests, and group commit of Stripe's deliveries."""

    pending_conns: Any
    group: GroupCommit | None = None

    def run(self) -> None:
        """By now the application is loaded."""
        if settings.WEBHOOK_GROUP_COMMIT:
            self.group = GroupCommit(self.cfg, partial(self.method_queue.defer, self._after_commit))
        super().run()
        if self.group:
            self.group.stop()

    def enqueue_req(self, conn: Any) -> None:
        """In the loop, whenever something has arrived: go on as soon as it is a request.

        A delivery joins the next group, all else goes to a thread.
        """
        verdict = self._gather(conn)
        if verdict is not None:
            self._finish(conn, verdict)
        elif self.group and conn.incoming.is_whole and looks_like_delivery(conn.incoming.data):
            self.group.take(conn, bytes(conn.incoming.data))
        else:
            super().enqueue_req(conn)

    def _gather(self, conn: Any) -> Any:
        """None: there is enough; else what gunicorn's loop is told."""
        try:
            if not conn.initialized:
                conn.init()
                # Threads never wait for a socket: what they read ends where the request does.
                conn.parser.unreader = IterUnreader(())
            if getattr(conn, "incoming", None) is None:
                conn.incoming = IncomingRequest(conn.parser.unreader.take_buffered())
            _receive(conn.sock, conn.incoming)
            return None if conn.incoming.is_over else _wait_or_refuse(conn.sock, conn.incoming)
        except OSError as error:
            self.log.debug("The client is gone. %s", error)
            return False

    def _finish(self, conn: Any, verdict: Any) -> None:
        """As if a thread had said so."""
        done: Future[Any] = Future()
        done.set_result(verdict)
        self.finish_request(conn, done)

    def _after_commit(self, answered: list[Answered], rest: list[Any]) -> None:
        """In the loop again: what was not answered there takes the ordinary way."""
        for each in answered:
            self.nr += 1
            each.conn.incoming = None
            self._finish(each.conn, each.keeps_open)
        for conn in rest:
            super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """In a thread."""
        conn.parser.unreader.unread(bytes(conn.incoming.data))
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        if not conn.incoming.is_whole:
            # What is still to come would be read as another request.
            req.force_close()
        conn.incoming = None
        conn.sock.settimeout(ANSWER_SECONDS)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, answered: Any) -> None:
        if answered.cancelled() or answered.exception() or answered.result():
            super().finish_request(conn, answered)
        else:
            self._linger(conn)

    def murder_pending(self) -> None:
        """gunicorn looks at the first alone, and takes them to end in the order in which they came."""
        if len(self.pending_conns) > 1:
            self.pending_conns = deque(sorted(self.pending_conns, key=lambda conn: conn.timeout))
        super().murder_pending()

    def _linger(self, conn: Any) -> None:
        """Close a connection so that the answer arrives, but not, as gunicorn does, while everybody waits.

        What is closed with unread bytes is reset, and the end of the answer lost: RFC 9112, 9.6.
        """
        conn.timeout, conn.discarded = time.monotonic() + LINGER_SECONDS, 0
        self.pending_conns.append(conn)
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))
        except OSError:
            conn.timeout = 0

    def _discard(self, conn: Any, sock: Any) -> None:
        """What still comes on a connection that is answered; its end, or too much of it, closes it in a moment."""
        try:
            piece = sock.recv(PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        conn.discarded += len(piece)
        if not piece or conn.discarded > DISCARDED_MAX_BYTES:
            self.poller.unregister(sock)
            conn.timeout = 0

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that stops does not wait longer for half a request than for the next one."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def _receive(sock: Any, incoming: IncomingRequest) -> None:
    """All that is there."""
    while not incoming.is_over:
        try:
            incoming.add(sock.recv(PIECE_BYTES, MSG_DONTWAIT))
        except BlockingIOError:
            return
        if incoming.is_head_too_long:
            return


def _wait_or_refuse(sock: Any, incoming: IncomingRequest) -> Any:
    """What gunicorn's loop is told: to wait for more, or (False) to close."""
    if incoming.is_head_too_long:
        _refuse(sock, TOO_LONG)
        return False
    if time.monotonic() > incoming.deadline:
        _refuse(sock, TOO_SLOW)
        return False
    if incoming.awaits_leave:
        sock.send(b"HTTP/1.1 100 Continue\r\n\r\n", MSG_DONTWAIT)
    return _DEFER


def _refuse(sock: Any, status: str) -> None:
    answer = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    sock.send(answer.encode(), MSG_DONTWAIT)
