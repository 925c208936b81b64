import numpy as np
import phonenumbers
import pyarrow as pa
import pytest

from simulation.names import COUNTRIES
from simulation.phones import DIALLING, numbers_of, spellings

REGIONS = sorted({region for _, region in COUNTRIES.values()})


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("mobile", [True, False])
def test_phones_of_every_country_are_valid_and_different(region: str, mobile: bool) -> None:
    numbers = numbers_of(region, 500, mobile=mobile, rng=np.random.default_rng(3)).to_pylist()

    assert len(set(numbers)) == 500
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in numbers)


@pytest.mark.parametrize("region", REGIONS)
def test_every_spelling_of_a_phone_means_the_same_number(region: str) -> None:
    numbers = numbers_of(region, 20, mobile=True, rng=np.random.default_rng(3))
    forms = spellings(numbers, pa.array([region] * 20))
    parsed = {
        (number, phonenumbers.format_number(phonenumbers.parse(form.as_py(), region), 0))
        for column in forms
        for number, form in zip(numbers.to_pylist(), column, strict=True)
    }

    assert parsed == {(number, number) for number in numbers.to_pylist()}


def test_regions_of_all_countries_are_known() -> None:
    assert set(REGIONS) <= set(DIALLING)
