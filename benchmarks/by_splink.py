"""Splink 5 on the records of people.py, as its documentation recommends for people.

Its comparison library for names, dates, e-mails and places, term frequencies where it advises
them, u from random pairs, m by expectation and maximisation in several sessions, connected
components. In its favour: values are normalised as ours are, keys that more than 40 records share
block nothing, and the threshold is the best of many, chosen with the truth.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from scorecard.partition import Agreement, agreement

IDS = ("user_id", "contact_id", "loyalty_number", "anonymous_id")
LEAST_WEIGHT = -6.0  # bits: no threshold that clusters well is below
THRESHOLDS = (-6, -4, -2, 0, 2, 4, 6, 8, 10, 12, 15, 18, 20, 25, 30, 35, 40)  # bits
SAMPLED = 10_000_000.0  # random pairs for u, ten times what its documentation calls the least
SHARED = 40  # records
FOLDED = """
select row_number() over (order by record_key) - 1 as unique_id,
    lower(strip_accents(first_name)) as first_name, lower(strip_accents(last_name)) as last_name,
    email, phone, cast(birth_date as varchar) as birth_date,
    lower(street) as street, lower(city) as city, upper(postcode) as postcode, {ids}
from read_parquet('{people}')
"""
SESSIONS = (("first_name", "last_name"), ("email_key",), ("phone_key",), ("birth_date",))
RARE = "case when count(*) over (partition by {0}) <= {1} then {0} end as {0}_key"


@dataclass(frozen=True)
class Links:
    """The pairs that Splink predicts, as a table of its database."""

    database: Any
    name: str

    def write(self, into: Path) -> None:
        """Write the pairs: rows of the records in order of their key, and the weight."""
        self.database.execute(
            f"copy (select unique_id_l as a, unique_id_r as b, match_weight as weight"
            f" from {self.name}) to '{into}'"
        )


def links(people: Path) -> Links:
    """Train, predict and cluster once."""
    from splink import DuckDBAPI, Linker, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    kinds = [kind for kind in IDS if _is_shared(connection, people, kind)]
    rows = FOLDED.format(ids=", ".join(kinds), people=people)
    keys = ", ".join(RARE.format(column, SHARED) for column in ("email", "phone", *kinds))
    connection.execute(f"create table people as select *, {keys} from ({rows})")
    linker = Linker(DuckDBAPI(connection).register("people"), _settings(kinds))
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("email_key", "first_name"), block_on("phone_key", "first_name")]
        + [block_on(f"{kind}_key") for kind in kinds]
        + [block_on("first_name", "last_name", "birth_date")],
        recall=0.7,
    )
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED, seed=1)
    for columns in SESSIONS:
        training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    predicted = linker.inference.predict(threshold_match_weight=LEAST_WEIGHT)
    linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=0.95
    )
    return Links(connection, predicted.physical_name)


def _is_shared(connection: duckdb.DuckDBPyConnection, people: Path, kind: str) -> bool:
    """Whether two records have one value of this type: else no level of it can be learned."""
    counts = f"select count({kind}) > count(distinct {kind}) from read_parquet('{people}')"
    return bool(connection.execute(counts).fetchall()[0][0])


def _settings(kinds: list[str]) -> Any:
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    rules: list[Any] = [block_on(f"{kind}_key") for kind in ("email", "phone", *kinds)]
    rules += [
        block_on(*columns)
        for columns in (
            ("last_name", "postcode"),
            ("first_name", "birth_date"),
            ("last_name", "birth_date"),
            ("birth_date", "postcode"),
            ("first_name", "last_name", "city"),
            ("street", "first_name"),
            ("first_name", "postcode"),
        )
    ]
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        blocking_rules_to_generate_predictions=rules,
        comparisons=[
            cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("last_name").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.EmailComparison("email").configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("phone", 1).configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("street", [1, 2]),
            cl.LevenshteinAtThresholds("postcode", 1).configure(term_frequency_adjustments=True),
            *(cl.ExactMatch(kind) for kind in kinds),
        ],
    )


def best(pairs: pa.Table, truth: pa.Table) -> Agreement:
    """The clusters at the threshold with the best pairwise F1."""
    persons = truth.sort_by("record_key").column("person_id")
    found = (agreement(_clusters(pairs, len(persons), least), persons) for least in THRESHOLDS)
    return max(found, key=lambda one: one.f1 or 0.0)


def _clusters(pairs: pa.Table, records: int, least: float) -> pa.ChunkedArray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b, weight = (pairs.column(name).to_numpy() for name in ("a", "b", "weight"))
    kept = weight >= least
    ones = np.ones(int(kept.sum()), np.int8)
    matrix = coo_matrix((ones, (a[kept], b[kept])), shape=(records, records))
    return pa.chunked_array([pa.array(connected_components(matrix, directed=False)[1])])
