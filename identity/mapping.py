"""What the columns of a labelled table mean: a small YAML file that a user writes.

data: people.csv          # CSV or parquet, beside this file
record_key: record_id     # one value per row
truth: person_id          # the same value on every row of one person; empty where nobody knows
fields:                   # column: kind; columns left out are not read
  given: given_name
  born: date
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from settings import ForeseenError

KINDS = {
    "given_name": "first name or names",
    "family_name": "family name",
    "full_name": "the whole name in one column, read for what no column of its own gives",
    "date": "a date that belongs to the person, such as the birth date, in any usual form",
    "email": "e-mail address",
    "phone": "phone number",
    "street": "street, house number or another line of the address",
    "city": "town, suburb, state or birth place",
    "postcode": "postcode",
    "text": "any other text that describes the person, or a piece of a date that has three columns",
    "id": "a number that one person has, such as a social security number",
}
NAMES = ("data", "record_key", "truth", "fields")


class MappingError(ForeseenError):
    """A mapping says something that we cannot follow."""


@dataclass(frozen=True)
class Mapping:
    """Which column is the record key, which the truth, and of what kind the others are."""

    record_key: str
    truth: str
    fields: dict[str, str]
    data: Path | None = None

    def __post_init__(self) -> None:
        """Raises MappingError when a kind is unknown or a column is used twice."""
        if not self.fields:
            raise MappingError("`fields` is empty: name at least one column and its kind.")
        for column, kind in self.fields.items():
            if kind not in KINDS:
                raise MappingError(
                    f"`fields.{column}` has the unknown kind {kind!r}. Kinds: {', '.join(KINDS)}."
                )
        used = {self.record_key, self.truth} & self.fields.keys()
        if used or self.record_key == self.truth:
            raise MappingError(
                f"The column {min(used, default=self.truth)} has two meanings. Record key, truth"
                " and fields must be different columns, or the answer is known before the question."
            )


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises MappingError, which names the file and what is wrong."""
    try:
        return _mapping(yaml.safe_load(path.read_text()), path.parent)
    except FileNotFoundError as error:
        raise MappingError(f"There is no mapping {path}.") from error
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    except MappingError as error:
        raise MappingError(f"{path}: {error}") from error


def _mapping(given: Any, folder: Path) -> Mapping:
    if not isinstance(given, dict):
        raise MappingError(f"expected the entries {', '.join(NAMES)}.")
    for name in NAMES:
        if name not in given:
            raise MappingError(f"the entry `{name}` is missing.")
    if unknown := sorted(str(name) for name in given.keys() - set(NAMES)):
        raise MappingError(f"unknown entry `{unknown[0]}`. Entries: {', '.join(NAMES)}.")
    if not isinstance(given["fields"], dict):
        raise MappingError("`fields` must be a list of `column: kind`.")
    return Mapping(
        record_key=str(given["record_key"]),
        truth=str(given["truth"]),
        fields={str(column): str(kind) for column, kind in given["fields"].items()},
        data=folder / str(given["data"]),
    )
