"""Currencies, what may be charged, and amounts in Stripe's messages: https://docs.stripe.com/currencies"""

from stripe_emulator.errors import StripeRefusal

LEAST_CHARGES = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "mxn": 1000, "myr": 200,
    "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
USUAL_LEAST_CHARGE, USUAL_GREATEST_CHARGE = 50, 99_999_999
GREATEST_CHARGES = {
    "cop": 9_999_999_999, "huf": 9_999_999_999, "idr": 999_999_999_999, "inr": 999_999_999, "jpy": 9_999_999_999,
    "lbp": 99_999_999_999,
}  # fmt: skip
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The francs, yen, … that have no smaller unit; the dinars and the rial have thousandths, of which the last digit must
# be 0. ISK and UGX are written with hundredths that must be 00: https://docs.stripe.com/currencies#special-cases
ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
TWO_DECIMAL = _codes(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc "
    "cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr "
    "kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk "
    "php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd "
    "uyu uzs wst xcd xcg yer zar zmw"
)
CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL
STEPS = {**dict.fromkeys(THREE_DECIMAL, 10), "isk": 100, "ugx": 100}


def known_currency(code: str, *, param: str = "currency") -> str:
    """The code in lower case. Raises StripeRefusal for what is no currency of Stripe's."""
    currency = code.lower()
    if currency not in CURRENCIES:
        supported = ", ".join(sorted(CURRENCIES))
        message = f"Invalid currency: {code[:20]}. Stripe currently supports these currencies: {supported}"
        raise StripeRefusal(message, param=param)
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


def greatest_charge(currency: str) -> int:
    """The greatest amount that can be charged, in minor units."""
    return GREATEST_CHARGES.get(currency, USUAL_GREATEST_CHARGE)


def step(currency: str) -> int:
    """By how many minor units amounts of this currency differ at least."""
    return STEPS.get(currency, 1)


def check_step(amount: int, currency: str, *, param: str = "amount") -> None:
    """Raises StripeRefusal for an amount (minor units) that banks cannot move in this currency."""
    if amount % step(currency):
        message = f"Invalid amount: an amount in {currency} must be divisible by {step(currency)}."
        raise StripeRefusal(message, code="parameter_invalid_integer", param=param)


def check_greatest(amount: int, currency: str, *, param: str = "amount") -> None:
    """Raises StripeRefusal beyond what can be charged (minor units)."""
    if amount > greatest_charge(currency):
        message = f"Amount must be no more than {formatted_amount(greatest_charge(currency), currency)}"
        raise StripeRefusal(message, code="amount_too_large", param=param)


def check_amount(amount: int, currency: str) -> str:
    """The currency in lower case, if this amount (minor units) of it can be charged. Raises StripeRefusal."""
    known = known_currency(currency)
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise StripeRefusal(message, code="parameter_invalid_integer", param="amount")
    if amount < least_charge(known):
        message = f"Amount must be at least {formatted_amount(least_charge(known), known)}"
        raise StripeRefusal(message, code="amount_too_small", param="amount")
    check_greatest(amount, known)
    check_step(amount, known)
    return known


def formatted_amount(amount: int, currency: str) -> str:
    """The amount (minor units) as text, for example "€5.00" or "500 jpy"."""
    decimals = exponent(currency)
    text = f"{amount / 10**decimals:,.{decimals}f}"
    return SYMBOLS[currency] + text if currency in SYMBOLS else f"{text} {currency}"
