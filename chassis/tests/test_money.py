import pytest

from chassis.money import digits, money, parsed, shown


def test_money_as_it_goes_out():
    assert money(1990, "USD") == {"amount": 1990, "currency": "USD"}


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1990, "USD", "19.90 USD"),
        (5, "USD", "0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (-250, "USD", "-2.50 USD"),
        (123456789, "USD", "1,234,567.89 USD"),
        (1990, "JPY", "1,990 JPY"),
        (1990, "KWD", "1.990 KWD"),
    ],
)
def test_money_as_people_read_it(amount, currency, text):
    assert shown(amount, currency) == text


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("19.90", "USD", 1990),
        ("19.9", "USD", 1990),
        ("19.900", "USD", 1990),
        (" 20 ", "USD", 2000),
        ("0.29", "USD", 29),
        ("1990", "JPY", 1990),
        ("1.234", "KWD", 1234),
    ],
)
def test_text_becomes_minor_units_exactly(text, currency, amount):
    assert parsed(text, currency) == amount


@pytest.mark.parametrize("text", ["19.905", "", "x", "1,5", "NaN", "Infinity", "1e-5"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="amount"):
        parsed(text, "USD")


def test_minor_units_follow_the_currency():
    assert [digits(code) for code in ("USD", "JPY", "BHD")] == [2, 0, 3]
