"""The raw body of a delivery, byte by byte as it was signed, and never more of it than the limit."""

from collections.abc import Callable

from django.http import HttpRequest

from payments.webhook.refusals import BodyTooLarge, LengthRequired, Refusal

# More digits than any length has; Python refuses to read thousands of them.
LONGEST_NUMBER = 15


def read_body(request: HttpRequest, *, limit: int) -> bytes:
    """The body. Raises a Refusal: too long (before it is read), cut off, or without a readable length."""
    try:
        if _is_chunked(request):
            return _read_chunked(request, limit=limit)
        return _read_exactly(request, _content_length(request, limit=limit))
    except OSError:
        raise Refusal("unreadable_body", "The body could not be read to its end.") from None


def _is_chunked(request: HttpRequest) -> bool:
    return "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH")


def _content_length(request: HttpRequest, *, limit: int) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0").strip()
    if not (text.isascii() and text.isdigit()):
        raise Refusal("bad_content_length", "Content-Length is not a number.")
    if len(text) > LONGEST_NUMBER or int(text) > limit:
        raise BodyTooLarge(limit)
    return int(text)


def _read_exactly(request: HttpRequest, length: int) -> bytes:
    body = _read(request.read, length)
    if len(body) < length:
        raise Refusal("incomplete_body", "The body is shorter than its Content-Length.")
    return body


def _read_chunked(request: HttpRequest, *, limit: int) -> bytes:
    """Django reads nothing without a length; a server that ends its input itself lets us read it here."""
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired
    body = _read(request.META["wsgi.input"].read, limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    """Up to `size` bytes; one call may bring fewer, and none at all means that there are no more."""
    pieces: list[bytes] = []
    while size > 0 and (piece := read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
