"""What stands in a PDF of ours, as somebody reads it."""

from io import BytesIO

from pypdf import PdfReader


def words_of(pdf: bytes) -> str:
    """Its words on one line, no-break spaces as spaces."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())
