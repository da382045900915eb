"""A receipt as PDF: one sheet of A4 with the words of its `Paper`, in a font of its own that knows all of Europe."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from django.http import HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from accounts.pictures.models import Picture
from accounts.shop.identity import current_shop
from payments.billing.receipts import Paper

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
# In millimetres, and in points.
MARGIN, LABEL_WIDTH, AMOUNT_WIDTH, LINE = 22, 50, 45, 6
TEXT_SIZE, TITLE_SIZE = 10, 18
QUIET = (85, 95, 108)
LOGO_HEIGHT = 14


def pdf_response(paper: Paper) -> HttpResponse:
    """To be kept under a name that says what it is; no cache keeps it."""
    response = HttpResponse(receipt_pdf(paper), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{paper.receipt}.pdf"'
    return response


def receipt_pdf(paper: Paper) -> bytes:
    """The file. The same paper makes the same words; long names go on in the next line."""
    sheet = FPDF(format="A4")
    sheet.set_margins(MARGIN, MARGIN)
    sheet.set_title(paper.title)
    sheet.set_author(paper.seller)
    sheet.set_lang(get_language() or "en")
    sheet.add_font(FAMILY, "", FONTS / "DejaVuSans.ttf")
    sheet.add_font(FAMILY, "B", FONTS / "DejaVuSans-Bold.ttf")
    sheet.add_page()
    _head(sheet, paper)
    _facts(sheet, paper)
    _amounts(sheet, paper)
    sheet.set_text_color(*QUIET)
    _lines(sheet, paper.notes)
    return bytes(sheet.output())


def _head(sheet: FPDF, paper: Paper) -> None:
    if logo := current_shop().logo:
        sheet.image(BytesIO(_bytes_of(logo)), h=LOGO_HEIGHT)
        sheet.ln(4)
    _write(sheet, paper.seller, bold=True)
    sheet.set_text_color(*QUIET)
    _lines(sheet, [*paper.seller_lines, *paper.seller_contact])
    sheet.set_text_color(0)
    sheet.ln(10)
    _write(sheet, paper.title, bold=True, size=TITLE_SIZE, height=10)
    sheet.set_text_color(*QUIET)
    _write(sheet, _("Issued on %(day)s") % {"day": paper.issued_on})
    sheet.set_text_color(0)
    sheet.ln(6)


def _facts(sheet: FPDF, paper: Paper) -> None:
    rows = [
        (_("Paid by"), "\n".join(paper.buyer)), (_("Paid on"), paper.paid_on), (_("Order number"), paper.order_number),
    ]  # fmt: skip
    for label, value in rows:
        if value:
            _row(sheet, label, value, label_width=LABEL_WIDTH)
    sheet.ln(8)


def _amounts(sheet: FPDF, paper: Paper) -> None:
    what = f"{paper.what}\n{paper.details}" if paper.details else paper.what
    _amount(sheet, what, paper.paid)
    _amount(sheet, _("Total paid"), paper.paid, bold=True)
    if paper.refunded:
        _amount(sheet, _("Given back since"), f"−{paper.refunded}")
        _amount(sheet, _("What is left"), paper.left)
    sheet.ln(8)


def _row(sheet: FPDF, label: str, value: str, *, label_width: float) -> None:
    sheet.set_font(FAMILY, "", TEXT_SIZE)
    sheet.set_text_color(*QUIET)
    sheet.cell(label_width, LINE, label)
    sheet.set_text_color(0)
    sheet.multi_cell(0, LINE, value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _amount(sheet: FPDF, words: str, amount: str, *, bold: bool = False) -> None:
    """Above it a line; words on the left, the amount on the right, at the first of their lines."""
    sheet.set_draw_color(190)
    sheet.line(sheet.l_margin, sheet.y, sheet.w - sheet.r_margin, sheet.y)
    sheet.ln(2)
    top, width = sheet.y, sheet.epw - AMOUNT_WIDTH
    sheet.set_font(FAMILY, "B" if bold else "", TEXT_SIZE)
    sheet.multi_cell(width, LINE, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    bottom = sheet.y
    sheet.set_xy(sheet.l_margin + width, top)
    sheet.cell(AMOUNT_WIDTH, LINE, amount, align="R")
    sheet.set_xy(sheet.l_margin, bottom + 2)


def _write(sheet: FPDF, text: str, *, bold: bool = False, size: int = TEXT_SIZE, height: float = LINE) -> None:
    sheet.set_font(FAMILY, "B" if bold else "", size)
    sheet.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _lines(sheet: FPDF, lines: Iterable[str]) -> None:
    for line in lines:
        _write(sheet, line)


def _bytes_of(logo: Picture) -> bytes:
    """As it is kept; pages know it by its address alone."""
    return bytes(Picture.objects.values_list("narrow", flat=True).get(pk=logo.pk))
