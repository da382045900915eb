"""Tables to take along: CSV that spreadsheets open as it is meant, sent line by line however long it is."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.http import StreamingHttpResponse
from django.utils.formats import get_format

BYTE_ORDER_MARK = "\ufeff"
# A spreadsheet that takes such a cell for a formula would run what a stranger wrote.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_response(rows: Iterable[Iterable[object]], *, filename: str) -> StreamingHttpResponse:
    """The rows as a file to download, separated and with decimals as spreadsheets in the reader's language expect."""
    response = StreamingHttpResponse(
        _lines(rows, decimal_sign=get_format("DECIMAL_SEPARATOR")), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _lines(rows: Iterable[Iterable[object]], *, decimal_sign: str) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, delimiter=";" if decimal_sign == "," else ",")
    yield BYTE_ORDER_MARK
    for row in rows:
        writer.writerow([_written(cell, decimal_sign) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _written(cell: object, decimal_sign: str) -> str:
    """A number is no formula, also where it is below nothing."""
    return str(cell).replace(".", decimal_sign) if isinstance(cell, Decimal) else guarded(str(cell))


def guarded(text: str) -> str:
    """The text so that no spreadsheet runs it."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
