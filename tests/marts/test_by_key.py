"""What is kept by rebuilding keys equals what is made whole, after any history of the evidence.

Events come late, twice, out of order; some are taken out again; who used a device or an account
turns out later, and otherwise. After every step each table equals its select run on everything.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dbt.cli.main import dbtRunner
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import settings
import warehouse
from ingestion.sources.web import EVENTS
from orchestration.defs.dbt.build import let_go
from orchestration.parsing import loaded_manifest
from tests.conftest import use_home

pytestmark = pytest.mark.slow  # thirty builds of fourteen models take most of a minute
MODELS = {  # in the order of their lineage
    "staging": ("stg_web__events",),
    "identity": ("device_periods",),
    "marts": (
        *("int_behaviour__attributed_events", "int_behaviour__events", "int_behaviour__attention"),
        *("int_behaviour__carts", "int_behaviour__ways_in"),
        *("int_behaviour__repeated_reports", "fct_events"),
        *("fct_sessions", "fct_page_views", "int_behaviour__visit_touches", "fct_touchpoints"),
        "int_behaviour__checkouts",
    ),
    "customer_360": ("customer_timeline",),
}
NOON = datetime(2011, 3, 1, 12)
TEXT, TIME = pa.string(), pa.timestamp("us")
Event = dict[str, Any]
GIVEN = {
    "marts.int_core__test_customers": {"customer_id": TEXT},
    "staging.stg_shop__order_contacts": dict.fromkeys(("order_id", "email"), TEXT),
    "marts.fct_orders": {
        **dict.fromkeys(("customer_id", "order_id", "channel"), TEXT),
        **{"ordered_at": TIME, "items": pa.int64(), "products": pa.int64()},
        **dict.fromkeys(("gross_amount", "order_amount"), pa.decimal128(18, 3)),
    },
    "marts.fct_refunds": {
        **dict.fromkeys(("customer_id", "refund_id", "channel", "product_id"), TEXT),
        **{"refunded_at": TIME, "quantity": pa.int64(), "cancellation_id": TEXT},
        "refund_amount": pa.decimal128(18, 3),
    },
    "marts.dim_products": dict.fromkeys(("product_id", "product_name"), TEXT),
    "marts.int_behaviour__named_campaigns": {
        **dict.fromkeys(("campaign_key", "campaign_id", "name", "marketing_channel"), TEXT),
        **{"is_email": pa.bool_(), "started_on": pa.date32()},
        **dict.fromkeys(("next_of_name", "next_of_channel"), pa.date32()),
        **dict.fromkeys(("place_of_name", "place_of_channel"), pa.int64()),
    },
    "marts.int_behaviour__email_clicks": {
        **dict.fromkeys(("event_id", "customer_id", "campaign_key"), TEXT),
        "occurred_at": TIME,
    },
    "marts.int_behaviour__social_touches": {
        **dict.fromkeys(("interaction_id", "customer_id", "detail"), TEXT),
        "occurred_at": TIME,
    },
    "profiles.consent_decisions": {
        **dict.fromkeys(("customer_id", "purpose", "channel", "source"), TEXT),
        **{"decided_at": TIME, "is_granted": pa.bool_()},
    },
    "customer_360.int_customer_360__conversations": {
        **dict.fromkeys(("interaction_id", "customer_id", "kind", "channel", "summary"), TEXT),
        **{"reference": TEXT, "occurred_at": TIME},
    },
}
REFUND = {
    **{"customer_id": "ann", "refund_id": "r", "channel": "web", "product_id": "p"},
    **{"refunded_at": NOON, "quantity": 1, "cancellation_id": "C1", "refund_amount": None},
}
ORDER = {"channel": "store", "items": 1, "products": 1, "gross_amount": None, "order_amount": None}
CAMPAIGN = {
    **{"campaign_key": "email:m", "name": "email", "is_email": True, "marketing_channel": "email"},
    **{"place_of_name": 1, "place_of_channel": 1},
}
CLICK = {
    **{"event_id": "c", "customer_id": "ann", "campaign_key": "email:m"},
    "occurred_at": NOON + timedelta(minutes=30),
}


@dataclass
class World:
    """The evidence: receipts, whom records belong to, who bought when, what a product is called."""

    receipts: list[Event] = field(default_factory=list)
    customers: dict[str, str] = field(default_factory=dict)
    buyers: dict[int, str | None] = field(default_factory=dict)
    product_name: str = "Cushion"
    loads: int = 0


Step = Callable[[World], None]


def _load(events: list[Event]) -> Step:
    def step(world: World) -> None:
        world.loads += 1
        world.receipts += [{**e, "_dlt_load_id": f"{world.loads}.5"} for e in events]

    return step


def _lose(message_id: str) -> Step:
    def step(world: World) -> None:
        world.receipts = [e for e in world.receipts if e["message_id"] != message_id]

    return step


def _link(record: str, customer: str) -> Step:
    return lambda world: world.customers.update({record: customer})


def _buy(minute: int, customer: str | None) -> Step:
    return lambda world: world.buyers.update({minute: customer})


def _rename(name: str) -> Step:
    return lambda world: setattr(world, "product_name", name)


def _event(
    who: tuple[str, str | None, str | None],
    kind: str,
    times: tuple[int, int],
    where: tuple[str, str | None, str | None],
) -> Event:
    (message, device, user), (minute, delay), (campaign, session, page) = who, times, where
    at = NOON + timedelta(minutes=minute)
    context = "".join(
        (
            f'{{"page": {{"path": "/{minute % 3}"}}, "campaign": {{"medium": "{campaign}"',
            f', "name": "{campaign}"}}',
            f', "sessionId": "{session}"' if session else "",
            f', "pageViewId": "{page}"' if page else "",
            "}",
        )
    )
    return {
        **{"message_id": message, "event_type": "page" if kind == "page" else "track"},
        **{"event_name": kind, "anonymous_id": device, "user_id": user, "context": context},
        **{"occurred_at": at, "sent_at": at, "received_at": at + timedelta(minutes=delay)},
        **{"properties": "{}", "origin": "file"},
    }


EVENT = st.builds(
    _event,
    st.tuples(
        st.sampled_from("abcdefghij"),
        st.sampled_from(("x", "y", None)),
        st.sampled_from(("1", "2", None, None)),
    ),
    st.sampled_from(
        ("page", "page", "Page Pinged", "Product Added", "Product Removed", "Order Completed")
    ),
    st.tuples(st.integers(0, 150), st.integers(0, 3)),
    st.tuples(
        st.sampled_from(("", "", "email", "cpc")),
        st.sampled_from((None, None, "s", "s" * 32)),
        st.sampled_from((None, None, "p", "q")),
    ),
)
RECORDS = ("web:visitor:x", "web:visitor:y", "web:visitor:x/2", "web:user:1", "web:user:2")
STEPS = st.one_of(
    st.builds(_load, st.lists(EVENT, max_size=8)),
    st.builds(_load, st.lists(EVENT, max_size=8)),
    st.builds(_lose, st.sampled_from("abcdefghij")),
    st.builds(_link, st.sampled_from(RECORDS), st.sampled_from(("ann", "bob"))),
    st.builds(_buy, st.sampled_from((60, 90)), st.sampled_from(("ann", "bob", None))),
    st.builds(_rename, st.sampled_from(("Cushion", "Cover"))),
)
some = hypothesis_settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # to shrink a history would take minutes
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A warehouse with the channel rules and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        made = use_home(tmp_path_factory.mktemp("keys") / "data", patch)
        _show(World())
        _dbt("seed", "channel_rules")
        yield made


def _dbt(verb: str, *words: str) -> None:
    done = dbtRunner(manifest=loaded_manifest()).invoke(
        [verb, "-q", "--project-dir", str(settings.DBT_PROJECT), "-s", *words]
    )
    let_go()
    assert done.success, [getattr(r, "message", r) for r in getattr(done.result, "results", [done])]


def _show(world: World) -> None:
    """Lay the evidence down as a refresh would find it."""
    raw = {**EVENTS.columns, "_dlt_load_id": "string"}
    types = {"timestamp": TIME}
    schema = pa.schema([(name, types.get(kind, TEXT)) for name, kind in raw.items()])
    records = [
        {"record_key": k, "customer_id": c, "source": "web"} for k, c in world.customers.items()
    ]
    names = ("record_key", "customer_id", "source")
    orders = [
        {**ORDER, "order_id": f"{m}", "customer_id": who, "ordered_at": NOON + timedelta(minutes=m)}
        for m, who in world.buyers.items()
    ]
    given_rows = {
        "marts.fct_orders": orders,
        "marts.fct_refunds": [REFUND],
        "marts.dim_products": [{"product_id": "p", "product_name": world.product_name}],
        "marts.int_behaviour__named_campaigns": [CAMPAIGN],
        "marts.int_behaviour__email_clicks": [CLICK],
    }
    with warehouse.transaction() as session:
        for each in (*MODELS, "raw_web"):
            session.execute(f"create schema if not exists {each}")
        session.replace("raw_web.events", pa.Table.from_pylist(world.receipts, schema))
        who = pa.Table.from_pylist(records, pa.schema([(name, TEXT) for name in names]))
        session.replace("identity.identity_map", who)
        for name, columns in GIVEN.items():
            rows = pa.Table.from_pylist(given_rows.get(name, []), pa.schema(list(columns.items())))
            session.replace(name, rows)


def _different() -> list[str]:
    """The tables that are not what their select makes of everything."""
    compiled = Path(os.environ["DBT_TARGET_PATH"]) / "compiled" / "cdp" / "models"
    selects = {path.stem: path.read_text() for path in compiled.rglob("*.sql")}
    found = []
    with warehouse.trial() as session:
        session.execute("create schema whole")
        for schema, names in MODELS.items():
            for name in names:
                session.execute(f"create table whole.{name} as {_of_whole(selects[name])}")
                ours, whole = (f"(select * from {s}.{name})" for s in (schema, "whole"))
                rows = f"({ours} except all {whole}) union all ({whole} except all {ours})"
                if session.number(f"select count(*) from ({rows})"):
                    found.append(name)
    return found


def _of_whole(select: str) -> str:
    for schema, names in MODELS.items():
        for name in names:
            select = select.replace(f'"warehouse"."{schema}"."{name}"', f"whole.{name}")
    return select


@some
@given(steps=st.lists(st.lists(STEPS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_every_table_equals_its_select_after_any_history(
    home: Path, steps: list[list[Step]]
) -> None:
    """Each history begins where everything of the last one has been taken out."""
    world = World()
    for refresh in [[], *steps]:
        for step in refresh:
            step(world)
        _show(world)
        _dbt("run", *(name for names in MODELS.values() for name in names))

        assert _different() == []


def test_a_rule_that_changed_upstream_reaches_what_is_built_on_it(home: Path) -> None:
    """What a heartbeat is, only the events say: no event of a visit changes when the rule does."""
    world = World()
    _load([_event(("a", "x", None), "page", (0, 0), ("", None, "p"))])(world)
    _load([_event(("b", "x", None), "Page Seen", (1, 0), ("", None, "p"))])(world)
    _show(world)
    names = [name for names in MODELS.values() for name in names]
    _dbt("run", *names)

    _dbt("run", *names, "--vars", "{heartbeat_event: Page Seen}")

    assert _different() == []


def test_a_new_load_touches_its_messages_alone_and_a_changed_one_all(home: Path) -> None:
    """What is written into the table by hand stays until its message is made anew."""
    world = World()
    old = [_event((who, "x", None), "page", (0, 0), ("", None, None)) for who in "ab"]
    _load(old)(world)
    _show(world)
    _dbt("run", "stg_web__events")
    with warehouse.transaction() as session:
        session.execute("update staging.stg_web__events set event_name = 'by hand'")

    _load([_event(("b", "x", None), "page", (1, 0), ("", None, None))])(world)
    _show(world)
    _dbt("run", "stg_web__events")
    after_a_new_load = _names()
    _lose("b")(world)
    _show(world)
    _dbt("run", "stg_web__events")

    assert after_a_new_load == {"a": "by hand", "b": "page"}
    assert _names() == {"a": "page"}


def _names() -> dict[str, str]:
    found = warehouse.read("select message_id, event_name from staging.stg_web__events")
    return dict(zip(*(column.to_pylist() for column in found.columns), strict=True))
