"""The checks of identity that no refresh of the demo turns red."""

from pathlib import Path

import warehouse
from orchestration.defs.identity.assets import every_identifier_type_has_rules


def test_identifiers_of_a_type_without_rules_are_counted(home: Path) -> None:
    with warehouse.transaction() as session:
        session.run("""
create schema identity; create schema rules;
create table rules.identifier_types as select 'email' as identifier_type;
create table identity.int_identity__identifiers as
select unnest(['email', 'fax', 'fax']) as identifier_type
""")

    result = every_identifier_type_has_rules()

    told = {name: value.value for name, value in result.metadata.items()}
    assert (result.passed, told) == (False, {"fax": 2})
