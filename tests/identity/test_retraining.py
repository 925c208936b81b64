"""A new link model: how right it seems without labels, and whom it would rename."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

import warehouse
from identity import linking, retraining
from identity.changes import FIELDS
from identity.holdout import estimates, wilson
from identity.refresh import IDENTIFIERS, RECORDS, refresh
from identity.rules import read_rules
from settings import DBT_PROJECT

PEOPLE = 400


def company(*, has_names: bool = True) -> tuple[pa.Table, pa.Table]:
    """An account and a support record per person with one user id; half share the e-mail too."""
    rng = np.random.default_rng(3)
    word = np.array(["".join(rng.choice(list("abcdefghij"), 7)) for _ in range(4 * PEOPLE)], object)
    first, last, street = word[:PEOPLE], word[PEOPLE : 2 * PEOPLE], word[2 * PEOPLE : 3 * PEOPLE]
    keys = [f"{kind}:{person}" for kind in ("account", "support") for person in range(PEOPLE)]
    texts = {
        "first_name": np.tile(first, 2) if has_names else [None] * 2 * PEOPLE,
        "last_name": np.tile(last, 2) if has_names else [None] * 2 * PEOPLE,
        "street": np.tile(street, 2) if has_names else [None] * 2 * PEOPLE,
        "city": np.tile(street, 2) if has_names else [None] * 2 * PEOPLE,
        "postcode": np.tile(street, 2) if has_names else [None] * 2 * PEOPLE,
    }
    nothing = [None] * 2 * PEOPLE
    columns = {name: texts.get(name, nothing) for name in FIELDS} | {
        "source": ["shop"] * 2 * PEOPLE
    }
    records = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    users = [f"u{person}" for person in range(PEOPLE)] * 2
    identifiers = pa.table(
        {
            "record_key": keys,
            "identifier_type": ["user_id"] * 2 * PEOPLE,
            "identifier_value": users,
            "blocked_reason": pa.array(nothing, pa.string()),
            "first_seen_at": pa.array(nothing, pa.timestamp("us")),
            "last_seen_at": pa.array(nothing, pa.timestamp("us")),
        }
    )
    return records.append_column("record_key", pa.array(keys)), identifiers


def store(records: pa.Table, identifiers: pa.Table) -> None:
    """A warehouse that holds these tables and the shipped rules."""
    warehouse.replace(RECORDS, records)
    warehouse.replace(IDENTIFIERS, identifiers)
    for seed in ("identifier_types", "source_trust"):
        warehouse.replace(f"rules.{seed}", csv.read_csv(DBT_PROJECT / "seeds" / f"{seed}.csv"))


def recall(records: pa.Table, identifiers: pa.Table) -> float:
    """The estimated recall of the model that these records teach."""
    store(records, identifiers)
    with warehouse.transaction() as session:
        return retraining.learned(session, read_rules(session))[1][0].recall.value


def test_people_who_are_found_without_their_user_id_count_for_recall() -> None:
    assert recall(*company()) == 1.0


def test_people_who_are_known_by_nothing_else_count_against_recall() -> None:
    assert recall(*company(has_names=False)) == 0.0


def test_the_estimate_writes_nothing() -> None:
    store(*company())
    refresh()
    before = warehouse.read("select * from identity.record_customers order by record_key")
    with warehouse.transaction() as session:
        estimates(session, read_rules(session), linking.LinkModel.load(linking.path()))
    assert warehouse.read("select * from identity.record_customers order by record_key") == before


def test_an_interval_is_wide_when_few_groups_were_seen() -> None:
    assert (wilson(1.0, 10).low, wilson(1.0, 1_000).low) == (
        pytest.approx(0.722, abs=0.001),
        pytest.approx(0.996, abs=0.001),
    )


def test_retraining_on_the_same_records_renames_nobody() -> None:
    store(*company())
    refresh()
    assert retraining.retrain().moved_records == 0


def without_ids(identifiers: pa.Table) -> pa.Table:
    """The same rows under user ids that nobody shares."""
    alone = pa.array([f"alone{row}" for row in range(identifiers.num_rows)])
    return identifiers.set_column(2, "identifier_value", alone)


def test_a_model_that_renames_many_needs_approval() -> None:
    records, identifiers = company(has_names=False)
    store(records, identifiers)
    refresh()
    store(records, without_ids(identifiers))
    with pytest.raises(retraining.TooManyMovedError, match="another customer id"):
        retraining.retrain()
    assert retraining.retrain(is_approved=True).moved > 0.4
