"""Phone numbers in E.164, by Google's libphonenumber metadata (the phonenumbers library)."""

import phonenumbers
import pyarrow as pa


def in_e164(spellings: pa.Table) -> pa.Table:
    """The spellings with a column `phone_e164`, null where a spelling is no possible number.

    Expects the columns phone, country and country_code (ISO 3166, may be null).
    """
    pairs = zip(
        spellings.column("phone").to_pylist(),
        spellings.column("country_code").to_pylist(),
        strict=True,
    )
    numbers = pa.array([e164(phone, country_code) for phone, country_code in pairs], pa.string())
    return spellings.select(["phone", "country"]).append_column("phone_e164", numbers)


def e164(phone: str, country_code: str | None) -> str | None:
    """One number in E.164, or None when it is no possible number of the country or the world."""
    try:
        number = phonenumbers.parse(phone, country_code)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
