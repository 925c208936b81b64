"""Valid phone numbers of every country of the company, and the ways people write them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.ledger import Column
from simulation.names import members_of

SPREAD = 0.6180339887  # steps of the golden ratio: numbers of neighbours look unrelated


@dataclass(frozen=True)
class Dialling:
    """How a country's numbers begin, and how many digits follow its calling code."""

    code: int
    trunk: str
    mobile: tuple[str, ...]
    mobile_digits: int
    landline: tuple[str, ...]
    landline_digits: int


# Prefixes whose every continuation is a valid number by the plans of phonenumbers (a test checks).
DIALLING = {
    "AE": Dialling(971, "0", ("50", "52", "54", "55"), 9, ("22", "23", "24", "26"), 8),
    "AT": Dialling(43, "0", ("67", "68", "69"), 9, ("12", "13", "14", "15"), 10),
    "AU": Dialling(61, "0", ("40", "41", "42", "43"), 9, ("20", "27", "28", "29"), 9),
    "BE": Dialling(32, "0", ("46", "47", "48", "49"), 9, ("10", "11", "15", "16"), 8),
    "BH": Dialling(973, "", ("33", "34", "36"), 8, ("17",), 8),
    "BR": Dialling(55, "0", ("119", "129", "139"), 11, ("112", "113", "122"), 10),
    "CA": Dialling(1, "1", ("2042", "2043", "2044"), 10, ("2045", "2046", "2047"), 10),
    "CH": Dialling(41, "0", ("76", "77", "78"), 9, ("21", "22", "31", "32"), 9),
    "CY": Dialling(357, "", ("95", "96", "97", "99"), 8, ("22", "24", "25", "26"), 8),
    "CZ": Dialling(420, "", ("72", "73", "77"), 9, ("31", "32", "35", "41"), 9),
    "DE": Dialling(49, "0", ("151", "152", "157", "17"), 11, ("22", "23", "30", "33"), 8),
    "DK": Dialling(45, "", ("26", "27", "28"), 8, ("67", "68", "96"), 8),
    "ES": Dialling(34, "", ("6", "71", "72"), 9, ("91", "93", "95", "96"), 9),
    "FI": Dialling(358, "0", ("40", "41", "44", "45"), 9, ("21", "22", "23", "25"), 9),
    "FR": Dialling(33, "0", ("60", "61", "62", "66"), 9, ("1", "3", "20", "24"), 9),
    "GB": Dialling(44, "0", ("71", "72", "73"), 10, ("129", "141", "151", "161"), 10),
    "GG": Dialling(44, "0", ("7839",), 10, ("7839",), 10),
    "GR": Dialling(30, "", ("69",), 10, ("21", "231", "241", "261"), 10),
    "IE": Dialling(353, "0", ("83", "85", "86", "87"), 9, ("22", "24", "25", "26"), 7),
    "IL": Dialling(972, "0", ("53", "502", "505"), 9, ("3", "4", "8", "9"), 8),
    "IS": Dialling(354, "", ("69", "77", "78", "85"), 7, ("46", "55", "56"), 7),
    "IT": Dialling(39, "", ("32", "33", "34", "38"), 10, ("02", "06"), 10),
    "JP": Dialling(81, "0", ("601", "602", "603"), 10, ("22", "23", "24", "26"), 9),
    "KR": Dialling(82, "0", ("102", "103", "104"), 10, ("21", "22", "23", "25"), 8),
    "LB": Dialling(961, "0", ("70", "71", "81"), 8, ("1", "4", "5"), 7),
    "LT": Dialling(370, "0", ("6",), 8, ("31", "34", "37", "41"), 8),
    "MT": Dialling(356, "", ("77", "79", "99"), 8, ("21", "22", "27"), 8),
    "NG": Dialling(234, "0", ("701", "703", "705", "706"), 10, ("201", "202", "209"), 10),
    "NL": Dialling(31, "0", ("61", "62", "63", "64"), 9, ("10", "13", "15", "20"), 9),
    "NO": Dialling(47, "", ("9", "40", "41", "46"), 8, ("21", "22", "31", "33"), 8),
    "PL": Dialling(48, "", ("50", "51", "53", "60"), 9, ("12", "13", "14", "22"), 9),
    "PT": Dialling(351, "", ("91", "92", "93", "96"), 9, ("21", "22"), 9),
    "SA": Dialling(966, "0", ("50", "53", "54", "55"), 9, ("11",), 9),
    "SE": Dialling(46, "0", ("70", "72", "73", "76"), 9, ("8", "11", "13", "16"), 7),
    "SG": Dialling(65, "", ("81", "82", "84", "86"), 8, ("61", "62", "64", "65"), 8),
    "TH": Dialling(66, "0", ("8", "9"), 9, ("2",), 8),
    "US": Dialling(1, "1", ("2012", "2013", "2014"), 10, ("2015", "2016", "2017"), 10),
    "ZA": Dialling(27, "0", ("81", "82", "83", "84"), 9, ("11", "12", "13", "15"), 9),
}


def phones_in(region: Column, *, mobile: bool, rng: np.random.Generator) -> pa.Array:
    """A phone in E.164 for each region, no two the same."""
    numbers = np.empty(len(region), object)
    for name, members in members_of(region):
        numbers[members] = numbers_of(name, len(members), mobile=mobile, rng=rng)
    return pa.array(numbers, pa.string())


def numbers_of(region: str, size: int, *, mobile: bool, rng: np.random.Generator) -> pa.Array:
    """So many different numbers of one region: a walk over all that its prefixes allow."""
    plan = DIALLING[region]
    prefixes, digits = (
        (plan.mobile, plan.mobile_digits) if mobile else (plan.landline, plan.landline_digits)
    )
    longest = max(map(len, prefixes))
    free = 10 ** (digits - longest)
    if size > free * len(prefixes):
        message = f"{region} has room for {free * len(prefixes)} phones: ask for fewer people"
        raise ValueError(message)
    heads = pa.array([f"+{plan.code}{prefix.ljust(longest, '0')}" for prefix in prefixes])
    step = int(free * SPREAD) // 10 * 10 + 3  # ends in 3: shares no factor with a power of ten
    place = np.arange(size)
    tails = (place * step + rng.integers(0, free)) % free
    which = (place + place // free) % len(prefixes)
    padded = pc.utf8_lpad(pc.cast(pa.array(tails), pa.string()), digits - longest, "0")
    return pc.binary_join_element_wise(heads.take(pa.array(which)), padded, "")


def spellings(phones: pa.Array, region: pa.Array) -> tuple[pa.Array, ...]:
    """Each phone in E.164, spaced, with dashes, and twice as people of the country write it."""
    codes = pa.array([f"+{plan.code}" for plan in DIALLING.values()])
    trunks = pa.array([plan.trunk for plan in DIALLING.values()])
    which = pc.index_in(region, value_set=pa.array(DIALLING))
    code, trunk = codes.take(which), trunks.take(which)
    nsn = without_code(phones, pc.utf8_length(code))
    first, last = pc.utf8_slice_codeunits(nsn, 0, 4), pc.utf8_slice_codeunits(nsn, 4)
    national = pc.binary_join_element_wise(trunk, first, "")
    return (
        phones,
        pc.binary_join_element_wise(code, first, last, " "),
        pc.binary_join_element_wise(code, first, last, "-"),
        pc.binary_join_element_wise(national, last, " "),
        pc.binary_join_element_wise(national, last, "-"),
    )


def without_code(phones: pa.Array, start: pa.Array) -> pa.Array:
    """The phones from this character on."""
    rest = phones
    for length in (2, 3, 4):
        cut = pc.utf8_slice_codeunits(phones, length)
        rest = pc.if_else(pc.equal(start, length), cut, rest)
    return rest
