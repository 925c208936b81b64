"""What an identity refresh keeps, all of it in the schema `identity`; dbt reads it as sources.

The ledgers remember what was given out and can never be rebuilt:
customer_ids         one row per customer id ever given out: active, merged or retired
customer_id_statuses one row per status that an id has had, with the time from which it held
customer_id_events   one row per create, merge, split, revive, retire or cut
overrides            one row per decision taken by a person in the tools (see rules.py)
refreshes            one row per refresh
approvals            one row per approval of all refreshes up to one (see approval.py)

The state is a function of the evidence; it is there so that a refresh costs what is new:
record_customers     one row per record: its customer, its first customer ever, its linkage group,
                     and a number that changes with its content
identifier_state     one row per record and identifier that may link, as numbers
block_keys           one row per record and key under which candidates meet
exact_pairs          one row per pair of records and value that they share
likely_pairs         one row per compared pair of records, with its weight
override_state       one row per decision that the last refresh knew
rejected_pairs       one row per pair that evidence would join and that was refused

Values of identifiers stand in none of them but `overrides`, only their numbers.
"""

from collections.abc import Sequence

from warehouse import Session

LEDGERS = """
create schema if not exists identity;
create table if not exists identity.customer_ids (
    customer_id string, number bigint, born_refresh bigint, status string,
    merged_into string, rules_version string
);
create table if not exists identity.customer_id_statuses (
    customer_id string, status string, merged_into string, refresh bigint,
    valid_from timestamp
);
create table if not exists identity.customer_id_events (
    refresh bigint, kind string, customer_id string, other_customer_id string,
    records bigint, cause string, rules_version string, happened_at timestamp
);
create table if not exists identity.refreshes (
    refresh bigint, happened_at timestamp, rules_version string, model_version string,
    is_full boolean, records bigint, changed_records bigint, dirty_records bigint,
    conflict_groups bigint, customers bigint, created bigint, merged bigint, split bigint,
    revived bigint, retired bigint, moved_records bigint, fingerprint string, seconds double,
    known_records bigint
);
alter table identity.refreshes add column if not exists known_records bigint;
create table if not exists identity.approvals (
    refresh bigint, reason string, actor string, approved_at timestamp
);
create table if not exists identity.record_customers (
    record_key string, record_no bigint, customer_id string, home_customer_id string,
    group_no bigint, trust bigint, link_weight double, rules_version string, refresh bigint,
    content bigint
);
alter table identity.record_customers add column if not exists content bigint;
drop table if exists identity.record_state
"""

EVIDENCE = {
    "identifier_state": (
        "record_no bigint, type_no bigint, value_no bigint, first_seen_at timestamp,"
        " last_seen_at timestamp"
    ),
    "block_keys": "rule smallint, key_hash ubigint, record_no bigint",
    "exact_pairs": "type_no bigint, value_no bigint, a bigint, b bigint",
    "likely_pairs": "a bigint, b bigint, weight double",
    "override_state": "override_id string, kind string, a bigint, b bigint, value_no bigint",
    "rejected_pairs": "a bigint, b bigint, reason string, weight double",
}


def make_ledgers(session: Session) -> None:
    """Make the tables that do not exist yet."""
    session.run(LEDGERS)
    for table, columns in EVIDENCE.items():
        session.execute(f"create table if not exists identity.{table} ({columns})")


def forget_evidence(session: Session) -> None:
    """Empty the state but for the decisions known, so that everything is resolved anew."""
    for table, columns in EVIDENCE.items():
        if table == "override_state":
            continue
        session.execute(f"create or replace table identity.{table} ({columns})")


def forget_decisions(
    session: Session, record_keys: Sequence[str], identifiers: Sequence[tuple[str, str]]
) -> None:
    """Delete the decisions that name these records or these values of identifiers.

    The rest of the state goes with the records, at the next refresh.
    """
    if not session.exists("identity.overrides"):
        return
    for key in record_keys:
        session.execute(
            "delete from identity.overrides where record_a = ? or record_b = ?", [key, key]
        )
    for kind, value in identifiers:
        session.execute(
            "delete from identity.overrides where identifier_type = ? and identifier_value = ?",
            [kind, value],
        )


def naming(session: Session, record_keys: Sequence[str]) -> list[str]:
    """The tables of the state in which one of these records is still named."""
    columns = {
        "record_customers": "record_key",
        "overrides": "concat_ws(' ', record_a, record_b)",
    }
    return [
        f"identity.{table}"
        for table, column in columns.items()
        if session.exists(f"identity.{table}")
        and any(
            session.number(
                f"select count(*) from identity.{table}"
                f" where concat(' ', {column}, ' ') like concat('% ', ?, ' %')",
                [key],
            )
            for key in record_keys
        )
    ]
