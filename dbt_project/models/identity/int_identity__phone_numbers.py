"""One row per spelling of a phone number and country: the number in E.164, null when it is none."""

from identity.phones import in_e164


def model(dbt, session):
    """Normalise each distinct spelling once; the library is Python, so this model is too."""
    dbt.config(materialized="table")
    records = dbt.ref("int_identity__records")
    countries = dbt.ref("countries")
    spellings = session.sql(
        "select distinct records.phone, records.country, countries.country_code from records"
        " left join countries on records.country = countries.country"
        " where records.phone is not null order by all"
    ).to_arrow_table()
    return in_e164(spellings)
