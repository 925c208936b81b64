"""One row per spelling of a phone number that only an earlier version of a record has."""

from identity.phones import in_e164


def model(dbt, session):
    """Identity has normalised the others; the library is Python, so this model is too."""
    dbt.config(materialized="table")
    versions = dbt.ref("int_profiles__versions")
    known = dbt.ref("int_identity__phone_numbers")
    countries = dbt.ref("countries")
    spellings = session.sql(
        "select distinct versions.phone, versions.country, countries.country_code from versions"
        " left join countries on versions.country = countries.country"
        " anti join known on versions.phone = known.phone"
        " and versions.country is not distinct from known.country"
        " where versions.phone is not null order by all"
    ).to_arrow_table()
    return in_e164(spellings)
