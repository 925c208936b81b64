"""Phone numbers in E.164, by Google's libphonenumber metadata (the phonenumbers library)."""

import phonenumbers
import pyarrow as pa
from phonenumbers import PhoneNumber, PhoneNumberType

LINES = {PhoneNumberType.FIXED_LINE: "fixed", PhoneNumberType.UNKNOWN: "unassigned"}


def in_e164(spellings: pa.Table) -> pa.Table:
    """The spellings with `phone_e164`, null where one is no possible number, and `phone_line`.

    Expects the columns phone, country and country_code (ISO 3166, may be null). The line is
    `fixed`, `unassigned` where the country's plan has no such number, or else `personal`.
    """
    pairs = zip(
        spellings.column("phone").to_pylist(),
        spellings.column("country_code").to_pylist(),
        strict=True,
    )
    numbers = [_number(phone, country_code) for phone, country_code in pairs]
    e164s = pa.array([_text(number) if number else None for number in numbers], pa.string())
    lines = pa.array([_line(number) if number else None for number in numbers], pa.string())
    known = spellings.select(["phone", "country"])
    return known.append_column("phone_e164", e164s).append_column("phone_line", lines)


def e164(phone: str, country_code: str | None) -> str | None:
    """One number in E.164, or None when it is no possible number of the country or the world."""
    number = _number(phone, country_code)
    return _text(number) if number else None


def forms(identifier: str) -> tuple[str, str]:
    """What a person asks for, as ids and e-mails are kept and as phones are."""
    plain = identifier.strip().lower()
    return plain, e164(f"+{plain[2:]}" if plain.startswith("00") else plain, None) or plain


def _number(phone: str, country_code: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(phone, country_code)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _text(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _line(number: PhoneNumber) -> str:
    return LINES.get(phonenumbers.number_type(number), "personal")
