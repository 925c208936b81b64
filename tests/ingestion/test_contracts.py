"""What the contract does to a batch, whatever its size."""

import pyarrow as pa

from ingestion.contracts import check
from warehouse import RawTable

NUMBERS = RawTable(
    source="pos",
    name="numbers",
    grain="One row per number",
    columns={"text": "string", "number": "bigint", "origin": "string"},
    key=("text",),
)


def test_what_is_cast_stays_beside_the_text_of_its_row() -> None:
    texts = [str(number) if number % 7 else f"{number}?" for number in range(300_000)]
    chunks = [texts[start : start + 1_000] for start in range(0, len(texts), 1_000)]
    column = pa.chunked_array(chunks)
    origin = pa.repeat("here", len(texts))

    checked = check(NUMBERS, pa.table({"text": column, "number": column, "origin": origin}))

    fitting = [text for text in texts if "?" not in text]
    assert checked.accepted.column("text").to_pylist() == fitting
    assert [str(number) for number in checked.accepted.column("number").to_pylist()] == fitting
    assert checked.quarantined.num_rows == sum("?" in text for text in texts)


def test_a_table_with_nothing_to_cast_is_checked_for_its_key() -> None:
    table = RawTable("pos", "notes", "One row per note", {"origin": "string"}, key=("origin",))
    rows = pa.table({"origin": ["here", None]})

    checked = check(table, rows)

    assert checked.accepted.to_pylist() == [{"origin": "here"}]
    assert checked.quarantined.column("reason").to_pylist() == ["origin is missing"]
