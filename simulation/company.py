"""The door: a company of any size, its sources' files or tables, and apart from them the truth."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from settings import ForeseenError
from simulation.activity import (
    Acquaintances,
    Activity,
    Log,
    make_activity,
    make_log,
    make_market,
    named,
)
from simulation.consents import mail_consents
from simulation.dirt import Dirt
from simulation.forms import (
    Form,
    write_database,
    write_drops,
    write_lines,
    write_parquet,
    write_parts,
    write_raw,
    write_resource,
)
from simulation.ledger import (
    DAYS,
    FIRST_DAY,
    buyers_in,
    catalogue_of,
    read_ledger,
    sampled,
    write_ledger,
)
from simulation.marketing import with_unsubscribes
from simulation.population import Known, Population, customers_wanted, make_population
from simulation.purchases import GUEST_SEED, clean_lines, guest_invoice_owners, guest_invoices
from simulation.records import Records, make_records, with_guests
from simulation.segments import json_lines
from simulation.truth import write_truth, write_truth_parts

CRM_COLUMNS = {
    "contacts": (
        "contact_id integer primary key, first_name text, last_name text, email text, phone text, "
        "birth_date text, gender text, job_title text, street text, city text, postcode text, "
        "country text, loyalty_number text, created_at text, updated_at text"
    ),
    "consents": (
        "consent_id integer primary key, contact_id integer, purpose text, channel text, "
        "is_granted integer, decided_at text, updated_at text"
    ),
}
REST_KEYS = {
    "ads.campaigns": "campaign_id",
    "ads.insights": "insight_id",
    "email.profiles": "profile_id",
    "email.campaigns": "campaign_id",
    "email.events": "event_id",
    "support.users": "user_id",
    "support.tickets": "ticket_id",
    "social.profiles": "handle",
    "social.interactions": "interaction_id",
}


class OtherCompanyError(ForeseenError):
    """Where a company is to be made, there is one of another size, seed, dirt or form."""


@dataclass(frozen=True)
class CompanyFacts:
    """How much of everything the company has."""

    people: int
    accounts: int
    cards: int
    devices: int
    orders: int
    order_lines: int
    contacts: int
    consents: int
    receipt_lines: int
    events: int
    records: int


def make_company(
    home: Path,
    *,
    people: int | None = None,
    seed: int = 7,
    dirt: Dirt | None = None,
    form: Form = "sources",
) -> CompanyFacts:
    """The facts of the company now in `home`: of so many people, or of the whole ledger's.

    A company that is there already is left alone: what a user erased since must not come back.
    Raises OtherCompanyError when it is another one than this.
    """
    made = home / "company" / "made.json"
    dirt = dirt or Dirt()
    asked = {"seed": seed, "people": people, "form": form, "dirt": asdict(dirt)}
    if made.exists():
        stored = json.loads(made.read_text())
        if {name: stored.get(name) for name in asked} != asked:
            raise OtherCompanyError(
                f"In {home} is another company already, of {stored['facts']['people']:,} people:"
                " choose another folder, or delete this one."
            )
        return CompanyFacts(**stored["facts"])
    facts = write_company(home, people, seed, dirt, form)
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_text(json.dumps(asked | {"facts": asdict(facts)}, indent=2) + "\n")
    return facts


@dataclass(frozen=True)
class World:
    """All of a company before it is written: the people, what sources say of them and they do."""

    ledger: tuple[pa.Table, ...]
    is_whole: bool
    population: Population
    records: dict[str, Records]
    activity: Activity

    def raw(self) -> dict[str, pa.Table]:
        """The raw tables by "<source>.<table>", but for the ledger and the log of the site."""
        told = {name: part.table for name, part in self.records.items() if name != "pos.cards"}
        profiles = with_unsubscribes(told["email.profiles"], self.activity.sendings)
        return told | self.activity.raw | {"email.profiles": profiles}


def write_company(
    home: Path, people: int | None, seed: int, dirt: Dirt, form: Form
) -> CompanyFacts:
    """The facts of a company just written: its sources, and the truth about them."""
    world = make_world(people, seed, dirt)
    counts = write_world(home, world, form)
    scene, records = world.activity.scene, [part.truth for part in world.records.values()]
    del world  # the log is the largest part of a company: it is made when the rest is gone
    pa.default_memory_pool().release_unused()
    log = make_log(scene, seed)
    records.append(log.records())
    counts |= {
        "events": write_log(home, log, form),
        "records": sum(part.num_rows for part in records),
    }
    write_truth_parts(home, "records", records)
    write_truth_parts(home, "events", log.truth())
    (home / "truth" / "facts.json").write_text(
        json.dumps({"counts": counts, "dirt": asdict(dirt)}, indent=2) + "\n"
    )
    return CompanyFacts(**counts)


def write_world(home: Path, world: World, form: Form) -> dict[str, int]:
    """How much there is of everything but the log, all of it just written."""
    raw = world.raw()
    (write_tables if form == "parquet" else write_sources)(home, world, raw)
    truth = world.activity.truth | {
        "people": true_people(world.population), "consents": true_consents(world)
    }  # fmt: skip
    for name, table in truth.items():
        write_truth(home, name, table)
    return counts_of(world, raw)


def make_world(people: int | None, seed: int, dirt: Dirt) -> World:
    """A company of so many people."""
    files = read_ledger()
    whole = clean_lines(files)
    ledger = ledger_for(people, files, whole, seed)
    lines = clean_lines(ledger)
    population = make_population(buyers_in(lines), people, seed)
    records = make_records(population, guest_orders(population, lines, seed), dirt, seed)
    market = make_market(population, lines, catalogue_of(whole), seed)
    activity = make_activity(market, acquaintances(records), lines, whole, seed)
    records = with_guests(records, population, activity.guest_orders, dirt, seed)
    return World(ledger, ledger is files, population, records, activity)


def ledger_for(
    people: int | None, files: tuple[pa.Table, ...], whole: pa.Table, seed: int
) -> tuple[pa.Table, ...]:
    """The ledger as it is, or the part of it that fewer people have written."""
    known = len(buyers_in(whole).customer_id)
    customers = customers_wanted(people, known)
    if customers == known:
        return files
    return sampled(files, customers, np.random.default_rng([seed, 1]))


def guest_orders(population: Population, lines: pa.Table, seed: int) -> pa.Table:
    """One row per order of the ledger without a customer: invoice, whose it is, ordered_at."""
    rng = np.random.default_rng([seed, GUEST_SEED])
    owners = guest_invoice_owners(population, lines, rng)
    orders = guest_invoices(lines).append_column("person", owners)
    return orders.filter(orders["person"].is_valid()).combine_chunks()


def acquaintances(records: dict[str, Records]) -> Acquaintances:
    """The people that each system knows."""
    social = records["social.profiles"]
    subscribed = records["email.profiles"].table["is_subscribed"]
    return Acquaintances(
        contacts=known(records["crm.contacts"], "contact_id", "created_at"),
        profiles=known(records["email.profiles"], "profile_id", "created_at"),
        is_subscribed=subscribed.to_numpy(),
        users=known(records["support.users"], "user_id", "created_at"),
        social=known(social, "handle", "updated_at"),
        network=social.table["network"].combine_chunks(),
    )


def known(part: Records, key: str, since: str) -> Known:
    """The people of one raw table, by key, and since when they are known."""
    at = part.table[since].to_numpy().astype("datetime64[s]")
    return Known(part.table[key].combine_chunks(), part.person, at)


def write_sources(home: Path, world: World, raw: dict[str, pa.Table]) -> None:
    """Every source but the log written in the form that it really has."""
    company, inbox = home / "company", home / "inbox"
    write_ledger(company / "shop" / "order_lines", world.ledger, whole=world.is_whole)
    made_up = raw["shop.order_lines"]
    write_parquet(company / "shop" / "order_lines" / "made_up_buyers.parquet", made_up)
    for name in ("accounts", "order_contacts"):
        write_parquet(company / "shop" / name / f"{name}.parquet", raw[f"shop.{name}"])
    crm = {name: (columns, raw[f"crm.{name}"]) for name, columns in CRM_COLUMNS.items()}
    write_database(company / "crm.sqlite", crm)
    for name, key in REST_KEYS.items():
        source, resource = name.split(".")
        write_resource(company / "rest" / source / f"{resource}.jsonl", raw[name], key)
    days = FIRST_DAY + np.arange(DAYS)
    write_drops(inbox / "pos", "receipts", raw["pos.receipt_lines"], "sold_at", days)
    write_drops(inbox / "dmp", "segments", raw["dmp.segments"], "collected_on", days)
    for revision in world.activity.revisions:
        folder = company / "partner" / str(revision.number)
        write_parquet(folder / "members.parquet", revision.members)
        (folder / "manifest.json").write_text(json.dumps(revision.manifest(), indent=2) + "\n")


def write_log(home: Path, log: Log, form: Form) -> int:
    """The log written, one closed segment a day or all in one table; the number of its lines."""
    if form == "parquet":
        return write_parts(home / "raw_web" / "events.parquet", (rows for _, rows in log.days()))
    return sum(write_segment(home / "inbox" / "web" / name, rows) for name, rows in log.days())


def write_segment(path: Path, rows: pa.Table) -> int:
    """One closed segment of the tracker's log; the number of its lines."""
    write_lines(path, json_lines(rows))
    return int(rows.num_rows)


def write_tables(home: Path, world: World, raw: dict[str, pa.Table]) -> None:
    """Every raw table but the log as one parquet file."""
    lines = pa.concat_tables([*world.ledger, raw["shop.order_lines"]], promote_options="default")
    members = [
        revision.members.append_column(
            "revision", pa.repeat(pa.scalar(str(revision.number)), revision.members.num_rows)
        )
        for revision in world.activity.revisions
    ]
    write_raw(home, raw | {"shop.order_lines": lines, "partner.members": pa.concat_tables(members)})


def true_consents(world: World) -> pa.Table:
    """Every decision that any source keeps; not to be subscribed is a no of the last change."""
    accounts, profiles = world.records["shop.accounts"], world.records["email.profiles"]
    box = accounts.table["accepts_marketing"].to_numpy(zero_copy_only=False)
    ticked = mail_consents(accounts.person, box, accounts.table["created_at"].to_numpy())
    gone = ~profiles.table["is_subscribed"].to_numpy(zero_copy_only=False)
    changed = profiles.table["updated_at"].to_numpy()
    left = mail_consents(profiles.person[gone], False, changed[gone])
    said = [named(world.activity.scene.market, part) for part in (ticked, left)]
    return pa.concat_tables([world.activity.truth["consents"], *said])


def true_people(population: Population) -> pa.Table:
    """The people as they are on the last day."""
    number = pa.array(population.people["household"].to_numpy().astype(str), pa.string())
    home = pc.binary_join_element_wise("household", pc.utf8_lpad(number, 7, "0"), "-")
    return population.people.append_column("household_id", home)


def counts_of(world: World, raw: dict[str, pa.Table]) -> dict[str, int]:
    """How many rows of everything but the log there are."""
    return {
        "people": world.population.people.num_rows,
        "accounts": world.population.accounts.num_rows,
        "cards": world.population.cards.num_rows,
        "devices": world.population.devices.num_rows,
        "orders": world.activity.truth["orders"].num_rows,
        "order_lines": sum(table.num_rows for table in world.ledger)
        + raw["shop.order_lines"].num_rows,
        "contacts": raw["crm.contacts"].num_rows,
        "consents": raw["crm.consents"].num_rows,
        "receipt_lines": raw["pos.receipt_lines"].num_rows,
    }
