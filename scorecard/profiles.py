"""Profiles against the truth: is what we believe of a person what is true on the last day?

A person's profile is that of the customer who holds most of their records; browsers do not count.
Both sides are compared in lower case, without accents and without anything but letters and digits.
"""

from collections.abc import Iterator

from scorecard.rows import Row, share
from warehouse import Session

FIELDS = {
    "e-mail": ("email",),
    "phone": ("phone",),
    "name": ("first_name", "last_name"),
    "address": ("street", "postcode", "city"),
}
# One row per person whom a record with a name or number knows.
MAIN_CUSTOMERS = """
with counted as (
    select truth.person_id, map.customer_id, count(*) as records
    from identity.identity_map as map
    inner join truth_records as truth on map.record_key = truth.record_key
    where truth.person_id is not null and map.record_key not like 'web:visitor:%'
    group by truth.person_id, map.customer_id
),
ranked as (
    select
        *,
        row_number() over (partition by person_id order by records desc, customer_id) as place
    from counted
)
select person_id, customer_id from ranked where place = 1
"""


def rows(session: Session) -> Iterator[Row]:
    """Per field: the share that is right; what is wrong and what is missing stands in the note."""
    session.register("main_customers", session.read(MAIN_CUSTOMERS))
    for field, columns in FIELDS.items():
        right, wrong, missing = _counts(session, columns)
        known = right + wrong + missing
        note = f"{wrong:,} wrong and {missing:,} missing of {known:,}"
        yield Row("profiles", f"{field} right", share(right, known), note=note)


def _counts(session: Session, columns: tuple[str, ...]) -> tuple[int, int, int]:
    """How many are right, wrong and missing, of the people of whom the truth knows the field."""
    believed, true = (_folded(side, columns) for side in ("profile", "person"))
    found = session.read(
        f"""
        select
            count(*) filter (where believed = true_value) as is_right,
            count(*) filter (where believed <> true_value and believed <> '') as is_wrong,
            count(*) filter (where believed = '') as is_missing
        from (
            select {believed} as believed, {true} as true_value
            from main_customers as main
            inner join truth_people as person on main.person_id = person.person_id
            left join profiles.customer_profiles as profile
                on main.customer_id = profile.customer_id
        )
        where true_value <> ''
        """
    ).to_pylist()[0]
    return found["is_right"], found["is_wrong"], found["is_missing"]


def _folded(side: str, columns: tuple[str, ...]) -> str:
    """The SQL of the columns as one comparable text, empty when there is none."""
    parts = " || ' ' || ".join(
        f"coalesce(cast({side}.{column} as varchar), '')" for column in columns
    )
    return f"regexp_replace(strip_accents(lower({parts})), '[^\\p{{L}}\\p{{N}}]', '', 'g')"
