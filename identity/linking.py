"""The platform's own records for the likely links: which fields are compared, by which model.

The model is trained once, on the first records, and kept as readable JSON; a refresh uses it as it
is. `identity.retraining` makes a new one, with which everything is resolved anew.
"""

from dataclasses import dataclass
from pathlib import Path

import settings
from identity.likely import LinkModel, block_keys, count_namesakes, prepare, score, train
from identity.likely.blocking import candidate_pairs, full_name_rule, key_caps
from identity.rules import Rules
from warehouse import Session, key_number

FIELDS = {
    "first_name": "given_name",
    "last_name": "family_name",
    "birth_date": "date",
    "email": "email",
    "phone": "phone",
    "street": "street",
    "city": "city",
    "postcode": "postcode",
}
# Identifiers are compared as they link: normalised, and without the values that are blocked, by a
# rule or by a person.
COMPARED = f"""
with identified as (
    select found.record_no, {{kinds}}
    from (select *, {key_number("record_key")} as record_no from {{identifiers}}) as found
    {{wanted_identifiers}}
    left join given_decisions as decided on found.identifier_type = decided.identifier_type
        and found.identifier_value = decided.identifier_value
    where coalesce(decided.kind = 'allow', found.blocked_reason is null)
        and found.identifier_type in ({{names}})
    group by found.record_no
)
select records.record_no, records.first_name, records.last_name, records.birth_date,
    records.street, records.city, records.postcode{{columns}}
from (select *, {key_number("record_key")} as record_no from {{records}}) as records
{{wanted_records}} left join identified on records.record_no = identified.record_no
"""
KIND = """
min(case when found.identifier_type = '{kind}' then found.identifier_value end) as {kind}
"""
# Pairs that teach how names differ need names on both sides.
SAME_PERSON = """
with shared as (
    select found.type_no, found.value_no
    from incoming_identifiers as found
    inner join identifier_types as types on found.type_no = types.type_no
    where types.is_unique
    group by found.type_no, found.value_no having count(*) between 2 and 20
),
named as (
    select found.type_no, found.value_no, found.record_no
    from incoming_identifiers as found
    inner join shared on found.type_no = shared.type_no and found.value_no = shared.value_no
    inner join prepared on found.record_no = prepared.record_no
    where prepared.first_name is not null
)
select distinct x.record_no as a, y.record_no as b
from named as x
inner join named as y
    on x.type_no = y.type_no and x.value_no = y.value_no and x.record_no < y.record_no
"""


@dataclass(frozen=True)
class Compared:
    """What of a record is compared, and how to get it."""

    records: str
    identifiers: str
    unique: tuple[str, ...]

    @property
    def fields(self) -> dict[str, str]:
        """Column and kind of everything compared."""
        return {**FIELDS, **dict.fromkeys(self.unique, "unique_id")}

    def hold(self, session: Session, wanted: str, into: str, *, is_all: bool = False) -> None:
        """Hold the wanted records (record_no) in the form in which they are compared."""
        kinds = ("email", "phone", *self.unique)
        only = (
            "" if is_all else f"inner join {wanted} as wanted on {{}}.record_no = wanted.record_no"
        )
        query = COMPARED.format(
            names=", ".join(f"'{kind}'" for kind in kinds),
            kinds=", ".join(KIND.format(kind=kind) for kind in kinds),
            columns="".join(f", identified.{kind}" for kind in kinds),
            records=self.records,
            identifiers=self.identifiers,
            wanted_records=only.format("records"),
            wanted_identifiers=only.format("found"),
        )
        session.show("compared_records", query)
        prepare(session, "compared_records", self.fields, into)


@dataclass(frozen=True)
class LikelyLinks:
    """Finds and weighs pairs of the platform's records by a trained model."""

    compared: Compared
    model: LinkModel

    @property
    def version(self) -> str:
        """The version of the model."""
        return self.model.version

    def key_caps(self) -> dict[int, int]:
        """How many records may share a key of each rule."""
        return key_caps(self.compared.fields)

    def counted_rule(self) -> int | None:
        """The rule of full names."""
        rule = full_name_rule(self.compared.fields)
        return rule.number if rule else None

    def show_keys(self, session: Session, wanted: str, into: str) -> None:
        """Show the keys of the wanted records; their compared form stays for the scores."""
        self.compared.hold(session, wanted, "prepared", is_all=_is_most(session, wanted))
        block_keys(session, "prepared", self.compared.fields, into)

    def show_scores(self, session: Session, pairs: str, into: str) -> None:
        """Show the pairs with their weight and levels."""
        if session.number("select count(*) from prepared") < session.number(
            "select count(*) from incoming"
        ):
            self._hold_partners(session, pairs)
        count_namesakes(session, "prepared", "identity.block_keys", self.compared.fields, "counted")
        model = self.model.comparing(self.compared.fields)
        score(session, pairs, "counted", model, into)

    def _hold_partners(self, session: Session, pairs: str) -> None:
        """Hold the compared form of those in the pairs that have not changed, too."""
        session.hold(
            "partners",
            f"select record_no from (select a as record_no from {pairs}"
            f" union select b from {pairs}) as ends"
            " where record_no not in (select record_no from prepared)",
        )
        if session.number("select count(*) from partners"):
            self.compared.hold(session, "partners", "prepared_partners")
            session.execute("insert into prepared select * from prepared_partners")


def path() -> Path:
    """Where the model in use is."""
    return settings.home() / "models" / "link_model.json"


def linker(session: Session, rules: Rules, records: str, identifiers: str) -> LikelyLinks:
    """Links by the model in use; trains the first one when there are records to learn from."""
    compared = Compared(records, identifiers, unique_types(rules))
    if not path().exists():
        learn(session, compared).save(path())
    return LikelyLinks(compared, LinkModel.load(path()))


def learn(session: Session, compared: Compared) -> LinkModel:
    """A model learned from the records of this refresh; it is not yet in use."""
    compared.hold(session, "incoming", "prepared", is_all=True)
    block_keys(session, "prepared", compared.fields, "shown_keys")
    session.hold("new_keys", "select * from shown_keys")
    count_namesakes(session, "prepared", "new_keys", compared.fields, "counted")
    candidate_pairs(session, "new_keys", key_caps(compared.fields), "candidates")
    session.hold("same_person", SAME_PERSON)
    return train(session, "counted", compared.fields, "candidates", "same_person")


def unique_types(rules: Rules) -> tuple[str, ...]:
    """The types of which a person has one value, in a fixed order."""
    return tuple(sorted(kind.identifier_type for kind in rules.types if kind.is_unique))


def _is_most(session: Session, wanted: str) -> bool:
    """Whether reading everything is cheaper than picking out the wanted records."""
    return 2 * session.number(f"select count(*) from {wanted}") > session.number(
        "select count(*) from incoming"
    )
