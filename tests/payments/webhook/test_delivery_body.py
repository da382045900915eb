from io import BytesIO

import pytest
from rest_framework.test import APIRequestFactory

from payments.webhook.delivery import Refusal, read_body

LIMIT = 100


class Dribble(BytesIO):
    """A connection that brings a few bytes at a time."""

    def read(self, size=-1):
        return super().read(min(size, 7))


class Broken(BytesIO):
    def __init__(self, error):
        self.error = error

    def read(self, size=-1):
        raise self.error


def request_with(stream, **meta):
    meta = {"CONTENT_LENGTH": "", **meta, "wsgi.input": stream}
    return APIRequestFactory().post("/stripe/webhooks", **meta)


def refusal_of(stream, **meta):
    with pytest.raises(Refusal) as refused:
        read_body(request_with(stream, **meta), limit=LIMIT)
    return refused.value.status_code, refused.value.get_codes()


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


class TestReadBody:
    @pytest.mark.parametrize("size", [0, 1, LIMIT])
    def test_reads_as_much_as_was_announced(self, size):
        request = request_with(Dribble(b"x" * 500), CONTENT_LENGTH=str(size))

        assert read_body(request, limit=LIMIT) == b"x" * size

    def test_reads_nothing_where_nothing_was_announced(self):
        assert read_body(request_with(BytesIO(b"x")), limit=LIMIT) == b""

    @pytest.mark.parametrize("length", ["abc", "-1", "+1", "1_0", "1.0", "٣", "0x10", "1,1"])
    def test_refuses_a_length_that_is_no_number(self, length):
        assert refusal_of(BytesIO(), CONTENT_LENGTH=length) == (400, "bad_content_length")

    @pytest.mark.parametrize("length", [str(LIMIT + 1), "9" * 15, "9" * 5000])
    def test_refuses_a_long_body_unread(self, length):
        stream = BytesIO(b"x" * 500)

        assert refusal_of(stream, CONTENT_LENGTH=length) == (413, "body_too_large")
        assert stream.tell() == 0

    def test_refuses_a_body_that_was_cut_off(self):
        assert refusal_of(Dribble(b"x" * 20), CONTENT_LENGTH="21") == (400, "incomplete_body")

    @pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), OSError("a broken chunk")])
    @pytest.mark.parametrize("meta", [{"CONTENT_LENGTH": "9"}, CHUNKED])
    def test_refuses_a_body_whose_sender_went_away(self, error, meta):
        assert refusal_of(Broken(error), **meta) == (400, "unreadable_body")

    @pytest.mark.parametrize("size", [0, 1, LIMIT])
    def test_reads_chunks_to_their_end(self, size):
        request = request_with(Dribble(b"x" * size), **CHUNKED)

        assert read_body(request, limit=LIMIT) == b"x" * size

    def test_stops_reading_chunks_beyond_the_limit(self):
        stream = Dribble(b"x" * 5000)

        assert refusal_of(stream, **CHUNKED) == (413, "body_too_large")
        assert stream.tell() == LIMIT + 1

    def test_asks_for_a_length_where_the_server_does_not_end_the_chunks(self):
        assert refusal_of(BytesIO(), HTTP_TRANSFER_ENCODING="chunked") == (411, "length_required")
