"""Currencies, what may be charged, and amounts in Stripe's messages: https://docs.stripe.com/currencies"""

from stripe_emulator.errors import StripeRefusal

LEAST_CHARGES = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "mxn": 1000, "myr": 200,
    "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
USUAL_LEAST_CHARGE, GREATEST_AMOUNT = 50, 99_999_999
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The francs, yen, … that have no smaller unit; the dinars and the rial have thousandths. UGX is written as if it had
# hundredths: https://docs.stripe.com/currencies#special-cases
ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
TWO_DECIMAL = _codes(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc "
    "cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr "
    "kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk "
    "php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd "
    "uyu uzs wst xcd yer zar zmw"
)


def known_currency(code: str, *, param: str = "currency") -> str:
    """The code in lower case. Raises StripeRefusal for what is no currency of Stripe's."""
    currency = code.lower()
    if currency not in ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL:
        raise StripeRefusal(f"Invalid currency: {code[:20]}.", param=param)
    return currency


def exponent(currency: str) -> int:
    """How many decimals the currency has."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def least_charge(currency: str) -> int:
    """The smallest amount that can be charged, in minor units.

    https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
    """
    return LEAST_CHARGES.get(currency, USUAL_LEAST_CHARGE)


def check_amount(amount: int, currency: str) -> str:
    """The currency in lower case, if this amount (minor units) of it can be charged. Raises StripeRefusal."""
    known = known_currency(currency)
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise StripeRefusal(message, code="parameter_invalid_integer", param="amount")
    if amount < least_charge(known):
        message = f"Amount must be at least {formatted_amount(least_charge(known), known)}"
        raise StripeRefusal(message, code="amount_too_small", param="amount")
    if amount > GREATEST_AMOUNT:
        message = f"Amount must be no more than {formatted_amount(GREATEST_AMOUNT, known)}"
        raise StripeRefusal(message, code="amount_too_large", param="amount")
    return known


def formatted_amount(amount: int, currency: str) -> str:
    """The amount (minor units) as text, for example "€5.00" or "500 jpy"."""
    decimals = exponent(currency)
    text = f"{amount / 10**decimals:,.{decimals}f}"
    return SYMBOLS[currency] + text if currency in SYMBOLS else f"{text} {currency}"
