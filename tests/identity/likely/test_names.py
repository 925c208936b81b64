"""Whose names are one name: the guard of links by shared values."""

import pyarrow as pa
import pytest

from identity.likely import names_agree, prepare
from identity.likely.fields import parts
from warehouse import scratch

FIELDS = {"first": "given_name", "last": "family_name"}

AGREE = [
    ("Anna", "Berg", "anna", "Berg"),
    ("Robert", "Hill", "Bob", "Hill"),
    ("Bob", "Hill", "Bobby", "Hill"),
    ("Katharina", "Maier", "Kathi", "Maier"),
    ("Francisco", "Ruiz", "Paco", "Ruiz"),
    ("Giuseppe", "Rossi", "Beppe", "Rossi"),
    ("Johannes", "de Vries", "Hans", "de Vries"),
    ("J", "Smith", "John", "Smith"),
    ("Jonh", "Smith", "John", "Smith"),
    ("Smith", "John", "John", "Smith"),
    ("Mary Ann", "Lee", "Mary", "Lee"),
    ("Zoë", "Bauer", "ZOE", "Bauer"),
    ("Jean-Luc", "Petit", "jean luc", "Petit"),
    ("Дмитрий", "Иванов", "Дмитрии", "Иванов"),
    ("山田", "太郎", "山田", "太郎"),
]

DIFFER = [
    ("Anna", "Berg", "Peter", "Berg"),
    ("Mary", "Lee", "John", "Lee"),
    ("Bob", "Hill", "Bill", "Hill"),
    ("K", "Berg", "Anna", "Berg"),
    ("Jo", "Li", "Bo", "Li"),
    ("Berg", "Anna", "Peter", "Berg"),
    ("Иван", "Иванов", "Ольга", "Иванов"),
    ("山田", "太郎", "鈴木", "太郎"),
]


def agree(*names: str | None) -> bool | None:
    """What the guard says of two people's first and last names."""
    people = pa.table(
        {
            "record_no": pa.array([0, 1], pa.int64()),
            "first": pa.array([names[0], names[2]], pa.string()),
            "last": pa.array([names[1], names[3]], pa.string()),
        }
    )
    with scratch(people=people) as session:
        prepare(session, "people", FIELDS, "prepared")
        found = session.read(
            f"select {names_agree('first', 'last')} as found"
            " from prepared as l inner join prepared as r on l.record_no < r.record_no"
        )
    answer: bool | None = found.column("found")[0].as_py()
    return answer


@pytest.mark.parametrize("names", AGREE, ids=" ".join)
def test_forms_of_one_name_agree(names: tuple[str, ...]) -> None:
    assert agree(*names) is True


@pytest.mark.parametrize("names", DIFFER, ids=" ".join)
def test_names_of_two_people_do_not_agree(names: tuple[str, ...]) -> None:
    assert agree(*names) is False


def test_a_missing_name_says_nothing() -> None:
    assert agree(None, "Berg", "Anna", "Berg") is None


def test_a_name_without_letters_is_missing() -> None:
    assert agree("\0 - ''", "Berg", "Anna", "Berg") is None


FULL = [
    ("Ann Lee", "ann", "lee"),
    ("Lee, Ann", "ann", "lee"),
    ("Dr. Ann Mary Lee", "ann", "lee"),
    ("Ann Lee, Jr.", "ann", "lee"),
    ("LEE JR., ANN", "ann", "lee"),
    ("van der Berg, Ann", "ann", "berg"),
    ("Ann", "ann", None),
    (",", None, None),
    ("", None, None),
]


@pytest.mark.parametrize(("whole", "given", "family"), FULL)
def test_a_full_name_tells_both(whole: str, given: str | None, family: str | None) -> None:
    assert told(whole, {"whole": "full_name"}) == {"whole__given": given, "whole__family": family}


def test_a_full_name_tells_what_no_column_of_its_own_does() -> None:
    fields = {"whole": "full_name", "first": "given_name"}
    assert told("Ann Lee", fields) == {"first": "bob", "whole__family": "lee"}


def told(whole: str, fields: dict[str, str]) -> dict[str, str | None]:
    """The names that are compared of one record."""
    row = pa.table({"record_no": [1], "whole": [whole], "first": ["Bob"]})
    with scratch(given=row) as session:
        prepare(session, "given", fields, "prepared")
        found = session.read("select * from prepared").to_pylist()[0]
    return {part.column: found[part.column] for part in parts(fields)}
