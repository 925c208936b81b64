"""One row per short form of a given name and the full name it is short for."""

import pyarrow.csv as pa_csv

from identity.likely.fields import NICKNAMES


def model(dbt, session):  # noqa: ARG001
    """The forms that identity knows, for the models that choose among them."""
    dbt.config(materialized="table")
    return pa_csv.read_csv(NICKNAMES).rename_columns(["short_form", "full_form"])
