"""The scorecard as a whole: kept, compared, and red where something must be 0."""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster import MaterializeResult
from rich.console import Console

import warehouse
from scorecard import report, truth
from scorecard.plot import plot
from scorecard.rows import Row
from scorecard.score import SCHEMA, score
from simulation.truth import SCHEMAS, write_truth
from tests.conftest import Run
from tests.scorecard.worlds import Rows, day, make


def _written(home: Path, **world: Rows) -> None:
    """A hand-made world as a refresh and the simulation would leave it."""
    with warehouse.transaction() as session:
        make(session, **world)
        tables = {name: session.read(f"truth_{name}") for name in truth.SCORED}
    for name, rows in tables.items():
        whole = SCHEMAS[name].empty_table()
        write_truth(home, name, pa.concat_tables([whole, rows], promote_options="default"))
    manifest = home / "dbt" / "target" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"nodes": {}}')


def _values(rows: tuple[Row, ...]) -> dict[tuple[str, str], float | None]:
    return {(row.area, row.metric): row.value for row in rows}


def test_each_score_is_kept_as_a_file_and_as_rows_and_is_the_next_ones_last(home: Path) -> None:
    _written(home, marts__fct_events=[("invented", "page", None)])

    first, second = score(), score()

    files = sorted((home / "scores").glob("*.json"))
    kept = json.loads(files[1].read_text())["rows"]
    assert first.before == {}
    assert second.before == _values(first.rows)
    assert [Row(**row) for row in kept] == list(second.rows)
    assert warehouse.read("scores.scores").num_rows == len(first.rows) + len(second.rows)


def test_the_second_score_knows_whose_id_changed(home: Path) -> None:
    _written(home, identity__identity_map=[("crm:contact:1", "c1")])
    score()
    warehouse.replace(
        "identity.identity_map", pa.table({"record_key": ["crm:contact:1"], "customer_id": ["c2"]})
    )
    assert _values(score().rows)["identity", "records whose id changed"] == 1


def test_something_invented_ends_with_exit_code_1(home: Path, cdp: Run) -> None:
    _written(home, marts__fct_events=[("invented", "page", None)])

    done = cdp("score")

    last = done.stdout.strip().splitlines()[-1]
    assert (done.returncode, last) == (1, "Must be 0 and is not: events invented: 1.")


@pytest.mark.parametrize("people", [0, 1, 2])
def test_a_company_of_hardly_anybody_can_be_scored(home: Path, cdp: Run, people: int) -> None:
    records = [(f"crm:contact:{number}", f"p{number}", []) for number in range(people)]
    _written(
        home,
        truth_people=[(f"p{number}", "Ann", "Bell") for number in range(people)],
        truth_records=records,
        identity__identity_map=[(key, f"c-{person}") for key, person, _ in records],
    )
    assert cdp("score").returncode == 0


def test_a_home_without_truth_is_told_what_to_do(cdp: Run) -> None:
    done = cdp("score")
    told = " ".join(done.stdout.split())
    assert (done.returncode, "`cdp demo` in a new" in told, "--dataset" in told) == (1, True, True)


def test_the_asset_adds_nothing_where_there_is_no_truth(home: Path) -> None:
    from orchestration.defs.scorecard.assets import scores

    result = scores()
    assert isinstance(result, MaterializeResult)
    assert (list(result.metadata or {}), (home / "scores").exists()) == (["skipped"], False)


def test_a_truth_that_an_older_version_wrote_is_none(home: Path) -> None:
    for name in truth.SCORED:
        write_truth(home, name, SCHEMAS[name].empty_table())
    assert truth.exists()

    orders = truth.folder() / "orders.parquet"
    pq.write_table(pq.read_table(orders).drop_columns(["is_guest"]), orders)

    assert not truth.exists()


def test_the_asset_shows_the_trend_as_a_picture(home: Path) -> None:
    from orchestration.defs.scorecard.assets import scores

    _written(home)
    metadata = scores().metadata or {}
    assert metadata["trend"].value.startswith("![trend](data:image/png;base64,iVBOR")


def test_the_picture_draws_what_it_is_given() -> None:
    rows = [
        {"scored_at": day(d), "area": "identity", "metric": "pairwise F1", "value": v, "detail": ""}
        for d, v in ((1, 0.8), (2, 0.9))
    ]
    empty, drawn = plot(SCHEMA.empty_table()), plot(pa.Table.from_pylist(rows, SCHEMA))
    assert (drawn[:4], drawn != empty) == (b"\x89PNG", True)


CARD = [
    Row("identity", "F1", 0.91, note="of pairs"),
    Row("books", "lost", 2, "count", "of 5", must_be_zero=True),
    Row("churn", "ranking", None, note="not built yet"),
]
LAST = {("identity", "F1"): 0.95, ("books", "lost"): 0.0}


def _shown(before: Mapping[tuple[str, str], float | None], width: int) -> list[str]:
    """The lines below the headings."""
    shown = io.StringIO()
    Console(width=width, file=shown).print(report.table(CARD, before, width))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    return [line for line in lines if line][2:]


def test_a_figure_is_shown_with_its_last_value_and_its_change() -> None:
    assert _shown(LAST, 120) == [
        "identity",
        "F1 0.9100 0.9500 -0.0400 of pairs",
        "books",
        "lost 2 0 +2 must be 0; of 5",
        "churn",
        "ranking – – not built yet",
    ]


def test_in_a_narrow_terminal_a_note_stands_below_its_figure() -> None:
    assert _shown(LAST, 80)[1:5] == ["F1 0.9100 0.9500 -0.0400", "of pairs", "books", "lost 2 0 +2"]


def test_a_first_score_is_shown_without_columns_for_the_last() -> None:
    assert _shown({}, 120)[1] == "F1 0.9100 of pairs"


def test_a_change_that_its_decimals_do_not_show_is_none() -> None:
    assert report.change(Row("attribution", "distance", 0.3), 0.1 + 0.2) == ""
