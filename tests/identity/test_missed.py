"""What the benchmark says of the pairs that were not found."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.identity import missed
from benchmarks.people import OTHERS, TEXTS

NOBODY = dict.fromkeys((*TEXTS, *OTHERS))
ANN = {"first_name": "Ann", "last_name": "Berg"}


def test_missed_pairs_are_told_by_what_the_customers_of_one_person_share(tmp_path: Path) -> None:
    given = [
        {**NOBODY, **ANN, "email": "a@x.com"},
        {**NOBODY, "email": "A@x.com", "phone": "1"},
        {**NOBODY, **ANN},
        {**NOBODY, "phone": "1"},
        {**NOBODY, "loyalty_number": "7"},
    ]
    keys = [str(number) for number in range(len(given))]
    people = tmp_path / "people.parquet"
    pq.write_table(
        pa.Table.from_pylist(
            [
                {**one, "record_key": key, "person_id": 1}
                for one, key in zip(given, keys, strict=True)
            ]
        ),
        people,
    )
    found = pa.table({"record_key": keys, "customer_id": ["a", "a", "b", "c", "d"]})
    # Ten pairs: one is found, two share Ann's name, two the phone, five nothing.
    assert missed(people, found) == (
        "50.0% share nothing, 20.0% share a full name alone, 20.0% share more"
    )
