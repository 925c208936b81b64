"""Dates of a table in one form, however people wrote them."""

import pytest

from identity.dates import year_first


@pytest.mark.parametrize(
    "written",
    [
        "1980-02-03",
        "1980-2-3",
        "1980-02-03T10:00:00",
        "1980/02/03 10:00",
        "03.02.1980",
        "3/2/1980",
        "3/2/80",
        "3 Feb 1980",
        "03-FEB-80",
        "3february1980",
        "February 3, 1980",
        "19800203",
    ],
)
def test_one_date_is_known_in_many_forms(written: str) -> None:
    assert year_first([written]) == ["19800203"]


def test_the_month_is_first_where_the_second_number_is_above_twelve_more_often() -> None:
    american = ["2/3/1980", "12/31/1990", "12/30/1990", "31/12/1990"]
    assert year_first(american) == ["19800203", "19901231", "19901230", "19903112"]
    assert year_first(["2/3/1980", "31/12/1990"]) == ["19800302", "19901231"]


@pytest.mark.parametrize(
    "written", [None, "", "unknown", "1/2", "a b c", "1.2.3.4", "Sun May 1980"]
)
def test_what_is_no_date_stays_as_it_is(written: str | None) -> None:
    assert year_first([written, "1980-02-03"]) == [written, "19800203"]
