import pytest

from identity.phones import e164, forms


@pytest.mark.parametrize(
    ("phone", "country_code", "number"),
    [
        ("030 1234567", "DE", "+49301234567"),
        ("+49 30 1234567", "DE", "+49301234567"),
        ("0049 30 1234567", "DE", "+49301234567"),
        ("(030) 123-45-67", "DE", "+49301234567"),
        ("030/1234567", "DE", "+49301234567"),
        ("\u00a0030\u00a01234567 ", "DE", "+49301234567"),
        ("+49 (0)30 1234567", "DE", "+49301234567"),
        ("+49 30 1234567", None, "+49301234567"),
        ("+49 30 1234567", "FR", "+49301234567"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("07911 123456", "GB", "+447911123456"),
        ("030 1234567", None, None),
        ("030 1234567", "", None),
        ("030 1234567", "XX", None),
        ("", "DE", None),
        ("   ", "DE", None),
        ("n/a", "DE", None),
        ("-", "DE", None),
        ("1", "DE", None),
        ("123456789012345678901", "DE", None),
        ("ann@example.com", "DE", None),
    ],
)
def test_a_phone_number_has_one_spelling(
    phone: str, country_code: str | None, number: str | None
) -> None:
    assert e164(phone, country_code) == number


@pytest.mark.parametrize(
    "asked", ["+44 1292 693973", " 0044 1292 693973 ", "+44 (0)1292-693973", "tel:+44-1292-693973"]
)
def test_a_phone_is_asked_for_in_any_spelling_that_tells_its_country(asked: str) -> None:
    assert forms(asked)[1] == "+441292693973"
