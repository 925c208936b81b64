"""Records of people whose persons are known, in the shape in which identity reads them.

One row per record: record_key, source, the columns of int_identity__records, one column per type
of identifier (null where the record has none, or a blocked one), and person_id. They come from the
simulated company, by the platform's own connectors' rules, or from a parquet file of that shape.
"""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import settings
from identity.phones import in_e164

RECORDS_PER_PERSON = 3.1  # of a simulated person, in the sources that know a name or a card
SEEDS = settings.DBT_PROJECT / "seeds"
NAMES = (
    *("first_name", "last_name", "email", "phone", "birth_date", "gender"),
    *("street", "city", "postcode", "country"),
)
KEYS = (
    *("user_id", "contact_id", "loyalty_number", "anonymous_id", "order_id", "profile_id"),
    *("support_user_id", "social_handle"),
)
TYPES = ("email", "phone", *KEYS)
TEXTS = (*(name for name in NAMES if name != "birth_date"), *KEYS)
FULL_NAME = (
    "split_part({0}, ' ', 1) as first_name,"
    " nullif(trim(substr({0}, length(split_part({0}, ' ', 1)) + 1)), '') as last_name"
)
# What each raw table says, by the names of the records.
TOLD = {
    "shop.accounts": "* exclude (user_id), user_id::varchar as user_id,"
    " created_at as first_seen_at, updated_at as seen_at",
    "shop.order_contacts": "* exclude (invoice), invoice as order_id,"
    " ordered_at as first_seen_at, ordered_at as seen_at",
    "crm.contacts": "* exclude (contact_id, loyalty_number), contact_id::varchar as contact_id,"
    " lower(loyalty_number) as loyalty_number, created_at as first_seen_at, updated_at as seen_at",
    "pos.cards": "lower(loyalty_number) as loyalty_number",
    "email.profiles": "*, created_at as first_seen_at, updated_at as seen_at",
    "support.users": f"email, phone, user_id as support_user_id, {FULL_NAME.format('name')},"
    " created_at as first_seen_at, updated_at as seen_at",
    "social.profiles": "email, network || '/' || handle as social_handle,"
    f" {FULL_NAME.format('display_name')}, updated_at as first_seen_at, updated_at as seen_at",
}
OTHERS = ("birth_date", "first_seen_at", "seen_at")
SHAPED = f"""
select record_key, person_id, split_part(record_key, ':', 1) as source,
    {", ".join(f"nullif(trim({name}), '') as {name}" for name in TEXTS)},
    cast(birth_date as date) as birth_date,
    cast(first_seen_at as timestamp) as first_seen_at, cast(seen_at as timestamp) as seen_at
from told
"""
SPELLINGS = """
select distinct shaped.phone, shaped.country, countries.country_code
from shaped left join read_csv('{seeds}/countries.csv') as countries using (country)
where shaped.phone is not null
"""
CLEAN = """
select shaped.* replace (
    case when lower(email) like '%_@_%._%' then lower(email) end as email,
    spelt.phone_e164 as phone
) from shaped
left join spelt on shaped.phone = spelt.phone and shaped.country is not distinct from spelt.country
"""
# A blocked value says nothing to anybody, so neither we nor the reference see it.
BLOCK = """
update clean set {kind} = null where {kind} in (
    select found.value from (select distinct {kind} as value from clean) as found
    inner join read_csv('{seeds}/blocked_values.csv') as blocked
        on blocked.identifier_type = '{kind}' and (found.value = blocked.pattern
            or (blocked.is_regex and regexp_full_match(found.value, blocked.pattern)))
)
"""


def simulated(records: int, seed: int) -> pa.Table:
    """About so many records of a simulated company of its own."""
    with duckdb.connect() as connection:
        parts = [_told(connection, name, part) for name, part in _made(records, seed).items()]
        connection.execute(f"create table given as {' union all by name '.join(parts)}")
        return _shaped(connection)


def read(path: Path) -> pa.Table:
    """The records of a parquet file; columns that it lacks are null."""
    with duckdb.connect() as connection:
        connection.execute(f"create table given as from read_parquet('{path}')")
        return _shaped(connection)


def _made(records: int, seed: int) -> dict[str, Any]:
    """The raw tables of a company of the people that so many records are about."""
    from simulation import company, purchases
    from simulation.dirt import Dirt
    from simulation.ledger import buyers_in, read_ledger
    from simulation.population import make_population
    from simulation.records import make_records

    people = int(records / RECORDS_PER_PERSON)
    files = read_ledger()
    ledger = company.ledger_for(people, files, purchases.clean_lines(files), seed)
    lines = purchases.clean_lines(ledger)
    population = make_population(buyers_in(lines), people, seed)
    return make_records(population, company.guest_orders(population, lines, seed), Dirt(), seed)


def _told(connection: duckdb.DuckDBPyConnection, name: str, part: Any) -> str:
    """SQL: the rows of a raw table beside whose they are."""
    table = name.replace(".", "_")
    connection.register(f"{table}_raw", part.table)
    connection.register(f"{table}_truth", part.truth)
    return (
        f"(select record_key, person_id, told.* from {table}_truth"
        f" positional join (select {TOLD[name]} from {table}_raw) as told)"
    )


def _shaped(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The table `given` with every column, text normalised, blocked values left out."""
    nothing = ", ".join(f"null::varchar as {name}" for name in (*TEXTS, *OTHERS))
    connection.execute(
        f"create table told as from given union all by name (select {nothing} limit 0);"
        f"create table shaped as {SHAPED}"
    )
    spellings = connection.sql(SPELLINGS.format(seeds=SEEDS)).to_arrow_table()
    connection.register("spelt", in_e164(spellings))
    connection.execute(f"create table clean as {CLEAN}")
    for kind in TYPES:
        connection.execute(BLOCK.format(kind=kind, seeds=SEEDS))
    return connection.sql("from clean order by record_key").to_arrow_table()
