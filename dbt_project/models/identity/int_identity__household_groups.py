"""One row per customer who shares a mailbox, phone or address, with the smallest of the group."""

from identity.components import components
from warehouse import Session


def model(dbt, session):
    """Customers who reach each other over what they share; components need Python, so this does."""
    dbt.config(materialized="table")
    relations = dbt.ref("customer_relations")
    numbers = session.sql(
        "select cast(split_part(customer_id, '_', 2) as bigint) as a,"
        " cast(split_part(other_customer_id, '_', 2) as bigint) as b"
        " from relations where relation <> 'shares_device'"
    ).to_arrow_table()
    warehouse = Session(session)
    warehouse.register("household_edges", numbers)
    components(warehouse, "household_edges", "household_components")
    return warehouse.read("select node, component from household_components order by node")
