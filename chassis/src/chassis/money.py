"""Money as the contract writes it: integer minor units and an ISO 4217 code, never a fraction in binary."""

from decimal import Decimal, InvalidOperation
from typing import TypedDict

# Minor-unit digits where they are not 2 (ISO 4217, list one).
_DIGITS = {"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3} | dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
)


class Amount(TypedDict):
    """``{"amount": minor units, "currency": ISO 4217}``."""

    amount: int
    currency: str


def money(amount: int, currency: str) -> Amount:
    """Money as it goes out."""
    return {"amount": amount, "currency": currency}


def digits(currency: str) -> int:
    """How many digits the minor unit has: 2 for USD, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def shown(amount: int, currency: str) -> str:
    """Money as people read it: ``19.90 USD`` for 1990 minor units."""
    return f"{Decimal(amount).scaleb(-digits(currency)):,} {currency}"


def parsed(text: str, currency: str) -> int:
    """Minor units of a decimal number such as ``19.90``. Raises ``ValueError`` where the currency has fewer digits."""
    try:
        minor = Decimal(text.strip()).scaleb(digits(currency))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount") from None
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise ValueError(f"{text!r} is not an amount in {currency}")
    return int(minor)
