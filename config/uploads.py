"""No page of ours takes files: one is refused at its first byte, and nothing is kept of it."""

from typing import Any, NoReturn

from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import FileUploadHandler


class UnwantedFile(BadRequest):
    """A form brought a file; 400 where nobody says more."""


class NoFiles(FileUploadHandler):
    """Refuses every file at its first byte. A page that needs one brings a handler that names a kind and a size."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise UnwantedFile("This page takes no files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise UnwantedFile

    def file_complete(self, file_size: int) -> None:
        return None
