"""The real order lines of Online Retail II: all of them, or those of a sample of customers."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

Column = NDArray[Any]

SOURCE = Path(__file__).parent / "online_retail_ii"
FILES = ("2009_2010.parquet", "2010_2011.parquet")
LAST_DAY = np.datetime64("2011-12-09")  # the ledger ends on this day
DAYS = 91  # a quarter of shop and web traffic: enough for seasons of a week, small on disk
FIRST_DAY = LAST_DAY - np.timedelta64(DAYS - 1, "D")
GUEST_LINES = 20  # lines without customer kept per sampled customer: a third of lines, as in all
MULTI_ORDER_SHARE = 1 / 3  # of a sample surely ordered twice, so that small demos have histories
MULTI_ORDERS = 2  # invoices that make a multi-order customer


@dataclass(frozen=True)
class Buyers:
    """One entry per customer id of the ledger, in order of id."""

    customer_id: Column
    country: Column
    first_at: Column


def read_ledger() -> tuple[pa.Table, ...]:
    """The order lines of each file, one table per file, of one schema."""
    tables = [pq.read_table(SOURCE / name) for name in FILES]
    nullable = pa.schema([pa.field(field.name, field.type) for field in tables[0].schema])
    return tuple(table.cast(nullable) for table in tables)


def write_ledger(folder: Path, tables: tuple[pa.Table, ...], *, whole: bool) -> None:
    """Both files in a folder: the original bytes if whole, else the lines given."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in zip(FILES, tables, strict=True):
        if whole:
            shutil.copyfile(SOURCE / name, folder / name)
        else:
            pq.write_table(table, folder / name)


def sampled(
    tables: tuple[pa.Table, ...], customers: int, rng: np.random.Generator
) -> tuple[pa.Table, ...]:
    """The lines of some customers, some lines without customer, and all bad debt."""
    lines = pa.concat_tables(tables).select(["customer_id", "invoice"])
    ids = pa.array(sampled_customers(lines, customers, rng), pa.int64())
    invoices = sampled_guest_invoices(lines, customers, rng)
    return tuple(table.filter(lines_of(table, ids, invoices)) for table in tables)


def lines_of(table: pa.Table, ids: pa.Array, guest_invoices: pa.Array) -> pa.ChunkedArray:
    """Whether each line is of one of the customers, or on one of the guest invoices."""
    of_customers = pc.is_in(table["customer_id"], value_set=ids, skip_nulls=True)
    return pc.or_(of_customers, pc.is_in(table["invoice"], value_set=guest_invoices))


def sampled_customers(lines: pa.Table, customers: int, rng: np.random.Generator) -> Column:
    """The ids of a sample, a third of them surely with several orders."""
    known = lines.filter(pc.is_valid(lines["customer_id"])).group_by("customer_id")
    orders = known.aggregate([("invoice", "count_distinct")]).sort_by("customer_id")
    ids = rng.permutation(orders["customer_id"].to_numpy())
    counts = orders["invoice_count_distinct"].to_numpy()
    several = rng.permutation(orders["customer_id"].to_numpy()[counts >= MULTI_ORDERS])
    first = several[: int(np.ceil(customers * MULTI_ORDER_SHARE))]
    return np.concatenate([first, ids[~np.isin(ids, first)]])[:customers]


def sampled_guest_invoices(lines: pa.Table, customers: int, rng: np.random.Generator) -> pa.Array:
    """Whole invoices without customer, about twenty lines a customer, and all bad debt."""
    guests = lines.filter(pc.is_null(lines["customer_id"])).group_by("invoice")
    sizes = guests.aggregate([("invoice", "count")]).sort_by("invoice")
    is_debt = pc.starts_with(sizes["invoice"], "A")
    debt = sizes["invoice"].filter(is_debt).to_numpy() if customers else []
    wanted = GUEST_LINES * customers
    sizes = sizes.filter(pc.and_(pc.invert(is_debt), pc.less_equal(sizes["invoice_count"], wanted)))
    order = rng.permutation(sizes.num_rows)
    fits = sizes["invoice_count"].to_numpy()[order].cumsum() <= wanted
    chosen = sizes["invoice"].to_numpy()[order[fits]]
    return pa.array([*debt, *chosen], pa.string())


def buyers_in(lines: pa.Table) -> Buyers:
    """Every customer of the lines, with country and the time of the first invoice."""
    known = lines.filter(pc.is_valid(lines["customer_id"])).group_by(
        "customer_id", use_threads=False
    )
    found = known.aggregate([("country", "first"), ("invoice_date", "min")]).sort_by("customer_id")
    return Buyers(
        customer_id=found["customer_id"].to_numpy(),
        country=found["country_first"].to_numpy().astype(object),
        first_at=found["invoice_date_min"].to_numpy().astype("datetime64[s]"),
    )


def recent_orders(lines: pa.Table) -> pa.Table:
    """One row per order of a customer in the last days: invoice, customer_id, sold_at, total."""
    is_order = pc.and_(pc.is_valid(lines["customer_id"]), pc.not_equal(sign_of(lines), "C"))
    is_recent = pc.greater_equal(lines["invoice_date"], pa.scalar(FIRST_DAY.astype(object)))
    orders = lines.filter(pc.and_(is_order, is_recent))
    amount = pc.multiply(pc.cast(orders["quantity"], pa.float64()), orders["price"])
    totals = orders.append_column("amount", amount).group_by(
        ["invoice", "customer_id"], use_threads=False
    )
    found = totals.aggregate([("invoice_date", "min"), ("amount", "sum")])
    return found.rename_columns(["invoice", "customer_id", "sold_at", "total"])


def sign_of(lines: pa.Table) -> pa.ChunkedArray:
    """The first letter of each invoice: C for a cancellation."""
    return pc.utf8_slice_codeunits(lines["invoice"], 0, 1)


def catalogue_of(lines: pa.Table) -> pa.Table:
    """One row per product (5-digit stock code): its usual description and median price."""
    is_product = pc.match_substring_regex(lines["stock_code"], r"^\d{5}$")
    is_sale = pc.and_(pc.greater(lines["price"], 0), pc.is_valid(lines["description"]))
    sales = lines.filter(pc.and_(is_product, is_sale)).select(
        ["stock_code", "description", "price"]
    )
    by_price = sales.sort_by([("stock_code", "ascending"), ("price", "ascending")])
    codes, starts, counts = np.unique(
        by_price["stock_code"].to_numpy().astype(str), return_index=True, return_counts=True
    )
    medians = by_price["price"].to_numpy()[starts + counts // 2]
    return pa.table(
        {"stock_code": codes, "description": usual_descriptions(sales), "price": medians.round(2)}
    )


def usual_descriptions(sales: pa.Table) -> Column:
    """The most frequent description of each stock code, in order of code."""
    counted = sales.group_by(["stock_code", "description"]).aggregate([("price", "count")])
    ranked = counted.sort_by(
        [("stock_code", "ascending"), ("price_count", "descending"), ("description", "ascending")]
    )
    _, first = np.unique(ranked["stock_code"].to_numpy().astype(str), return_index=True)
    usual = ranked["description"].take(pa.array(first))
    return np.asarray(pc.utf8_trim_whitespace(usual).to_numpy())
