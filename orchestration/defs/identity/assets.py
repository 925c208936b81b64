"""Identity: the Python step between two dbt runs."""

from collections.abc import Iterator

import dagster as dg

import warehouse
from identity import refresh as identity
from identity.approval import waiting_now
from identity.report import LIMITS, page, report

LARGEST_CUSTOMER = 1000  # records, the cap of records per value; more is no person
TABLES = {
    "customer_ids": "One row per customer id ever given out.",
    "customer_id_statuses": "One row per status that a customer id has had.",
    "record_customers": "One row per record, with its customer.",
    "customer_id_events": "One row per change of a customer id.",
    "exact_pairs": "One row per pair of records and value that they share.",
    "likely_pairs": "One row per compared pair of records, with its weight.",
    "rejected_pairs": "One row per pair that evidence would join and that was refused.",
    "override_state": "One row per decision of a person that counted.",
    "refreshes": "One row per identity refresh.",
}
REPORTED = "record_customers"
EVIDENCE = [
    ["identity", "int_identity__records"],
    ["identity", "int_identity__identifiers"],
    ["rules", "identifier_types"],
    ["rules", "identity_overrides"],
    ["rules", "source_trust"],
]


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key=["identity", table],
            deps=EVIDENCE,
            description=description,
            group_name="identity",
            owners=["team:data"],
            kinds={"python", "duckdb"},
        )
        for table, description in TABLES.items()
    ],
    pool="warehouse",
)
def identity_refresh() -> Iterator[dg.MaterializeResult[None]]:
    """Resolve what is new and give every customer its stable id."""
    done = vars(identity.refresh())
    for table in TABLES:
        rows = _number(f"select count(*) from identity.{table}")
        told = {"report": dg.MetadataValue.md(page(report()))} if table == REPORTED else {}
        yield dg.MaterializeResult(
            asset_key=["identity", table], metadata={"dagster/row_count": rows, **done, **told}
        )


@dg.asset_check(asset=["identity", "record_customers"], blocking=True, pool="warehouse")
def no_customer_is_a_crowd() -> dg.AssetCheckResult:
    """No audience is built on a customer glued together from strangers."""
    largest = _number(
        "select max(records) from"
        " (select count(*) as records from identity.record_customers group by customer_id) as sizes"
    )
    return dg.AssetCheckResult(
        passed=largest <= LARGEST_CUSTOMER, metadata={"records of the largest customer": largest}
    )


@dg.asset_check(asset=["identity", "record_customers"], blocking=True, pool="warehouse")
def every_record_is_in_one_customer() -> dg.AssetCheckResult:
    """The map is whole: every record there is, once, under an id in use."""
    wrong = _number(
        "select count(*) from (select records.record_key"
        " from identity.int_identity__records as records"
        " left join identity.record_customers as known on records.record_key = known.record_key"
        " left join identity.customer_ids as ids"
        " on known.customer_id = ids.customer_id and ids.status = 'active'"
        " group by records.record_key having count(ids.customer_id) <> 1) as wrong"
    )
    return dg.AssetCheckResult(passed=wrong == 0, metadata={"records": wrong})


@dg.asset_check(asset=["identity", "customer_ids"], blocking=True, pool="warehouse")
def customer_ids_are_unique_and_redirect_in_one_hop() -> dg.AssetCheckResult:
    """No id names two customers, and every redirect ends at an id in use."""
    wrong = _number(
        "select count(*) from (select ids.customer_id from identity.customer_ids as ids"
        " left join identity.customer_ids as target on ids.merged_into = target.customer_id"
        " group by ids.customer_id having count(*) > 1"
        " or max(ids.status = 'merged' and target.status is distinct from 'active')) as wrong"
    )
    return dg.AssetCheckResult(passed=wrong == 0, metadata={"ids": wrong})


@dg.asset_check(asset=["identity", "record_customers"], blocking=True, pool="warehouse")
def limits_are_kept() -> dg.AssetCheckResult:
    """No customer has more values of a type than allowed, but by one record or by decision."""
    wrong = sum(warehouse.read(LIMITS).column("violations").to_pylist())
    return dg.AssetCheckResult(passed=wrong == 0, metadata={"customers": wrong})


@dg.asset_check(asset=["identity", "record_customers"], pool="warehouse")
def every_identifier_type_has_rules() -> dg.AssetCheckResult:
    """An identifier of a type that the seed `identifier_types` does not have links nobody."""
    found = warehouse.read(
        "select identifier_type, count(*) as identifiers from identity.int_identity__identifiers"
        " where identifier_type not in (select identifier_type from rules.identifier_types)"
        " group by identifier_type order by identifier_type"
    ).to_pylist()
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={row["identifier_type"]: row["identifiers"] for row in found},
    )


@dg.asset_check(asset=["identity", "refreshes"], blocking=True, pool="warehouse")
def few_records_changed_their_customer() -> dg.AssetCheckResult:
    """A refresh that moves many known records between customers is looked at before it is used."""
    found = waiting_now()
    told = "; ".join(
        f"refresh {one.refresh} moved {one.moved_records:,} of {one.known_records:,} known records"
        for one in found
    )
    return dg.AssetCheckResult(
        passed=not found,
        description=f"{told}. Look at identity.identity_events; if they are right, `cdp identity"
        " approve`, and refresh."
        if found
        else None,
        metadata={"refreshes that wait": len(found)},
    )


def _number(query: str) -> int:
    return int(warehouse.read(query).column(0)[0].as_py() or 0)
