"""Resolve any labelled table with the engine and the settings that resolve customers.

Nothing is chosen per table: what is compared and which records meet follows from the kinds that
the mapping declares, and the weights are learned from the table without its labels.
"""

from collections.abc import Mapping as Fields
from dataclasses import dataclass

import pyarrow as pa

from identity.changes import FIELDS
from identity.dates import year_first
from identity.likely import (
    LinkModel,
    block_keys,
    candidate_pairs,
    count_namesakes,
    prepare,
    score,
    train,
)
from identity.likely.blocking import full_name_rule, key_caps
from identity.mapping import Mapping
from identity.refresh import refresh_in
from identity.rules import Rules
from warehouse import Session, key_number, scratch


@dataclass(frozen=True)
class TableLinks:
    """Links of the records of one table, by a model learned from it."""

    fields: Fields[str, str]
    model: LinkModel

    @property
    def version(self) -> str:
        """The version of the model."""
        return self.model.version

    def key_caps(self) -> dict[int, int]:
        """How many records may share a key of each rule."""
        return key_caps(self.fields)

    def counted_rule(self) -> int | None:
        """The rule of full names."""
        rule = full_name_rule(self.fields)
        return rule.number if rule else None

    def show_keys(self, session: Session, wanted: str, into: str) -> None:
        """Show the keys of the wanted records, which are all in a table that is resolved whole."""
        block_keys(session, "prepared", self.fields, "all_keys")
        session.show(
            into,
            f"select keys.* from all_keys as keys"
            f" inner join {wanted} as wanted on keys.record_no = wanted.record_no",
        )

    def show_scores(self, session: Session, pairs: str, into: str) -> None:
        """Show the pairs with their weight and levels."""
        score(session, pairs, "counted", self.model, into)


def resolve(table: pa.Table, mapping: Mapping) -> pa.Table:
    """One row per record: `record_key` and its `cluster`. The truth is never read."""
    given, mapping = _plain(table, mapping)
    with scratch(given=given) as session:
        links = TableLinks(mapping.fields, learn(session, mapping))
        _hold_empty(session, mapping)
        refresh_in(session, Rules(types=()), links, records="records", identifiers="identifiers")
        return session.read(
            "select record_key, customer_id as cluster from identity.record_customers"
            " order by record_key"
        )


def _plain(table: pa.Table, mapping: Mapping) -> tuple[pa.Table, Mapping]:
    """The columns under names of ours, dates in one form.

    Their names may be any text, and words that the engine uses.
    """
    names = [f"field_{number}" for number in range(len(mapping.fields))]
    given = table.select([mapping.record_key, *mapping.fields])
    fields = dict(zip(names, mapping.fields.values(), strict=True))
    given = given.rename_columns(["record_key", *names])
    for name in (name for name, kind in fields.items() if kind == "date"):
        dates = pa.array(year_first(given.column(name).to_pylist()), pa.string())
        given = given.set_column(given.column_names.index(name), name, dates)
    return given, Mapping("record_key", "truth", fields)


def learn(session: Session, mapping: Mapping) -> LinkModel:
    """A model of the table `given`, whose records are held as `prepared`."""
    key = f'cast("{mapping.record_key}" as string)'
    session.hold("numbered", f"select *, {key_number(key)} as record_no from given")
    prepare(session, "numbered", mapping.fields, "prepared")
    block_keys(session, "prepared", mapping.fields, "shown_keys")
    session.hold("keys", "select * from shown_keys")
    count_namesakes(session, "prepared", "keys", mapping.fields, "counted")
    candidate_pairs(session, "keys", key_caps(mapping.fields), "pairs")
    return train(session, "counted", mapping.fields, "pairs")


def _hold_empty(session: Session, mapping: Mapping) -> None:
    """Hold `records` of the platform's shape that know nothing but their key."""
    nothing = ", ".join(f"cast(null as string) as {name}" for name in FIELDS if name != "source")
    session.hold(
        "records",
        f"select cast(\"{mapping.record_key}\" as string) as record_key, 'table' as source,"
        f" {nothing} from given",
    )
    session.hold(
        "identifiers",
        "select record_key, source as identifier_type, source as identifier_value,"
        " cast(null as string) as blocked_reason, cast(null as timestamp) as first_seen_at,"
        " cast(null as timestamp) as last_seen_at from records limit 0",
    )
