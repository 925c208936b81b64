"""The weight of evidence that two records are one person, in bits, one column per comparison."""

import pyarrow as pa

from identity.likely.comparisons import Comparison, comparisons
from identity.likely.fields import known
from identity.likely.model import LinkModel
from warehouse import Session

VETO_WEIGHT = -10.0  # bits, whatever else two records say; as loud as one pair ever speaks
DIGITS = 6  # of a weight: what is left is the same on every engine and number of threads


def score(session: Session, pairs: str, prepared: str, model: LinkModel, into: str) -> None:
    """Show a, b, weight and the level of every comparison, for each pair (a, b).

    Most candidates are vetoed by their names. That is found out first, from the few columns it
    takes; the rest is compared for the others alone, and a vetoed pair has no other level.
    """
    found = weighed(model)
    rare = sorted({column for one in found for column in one.frequency_columns.values()})
    for column in rare:
        _register_bits(session, model, column)
    rated = "".join(f', "bits_{column}".bits as "bits_{column}"' for column in rare)
    lookups = "".join(
        f' left join "bits_{column}"'
        f' on {known(column, model.fields, "prepared")} = "bits_{column}".value'
        for column in rare
    )
    columns = ", ".join([one.sql for one in found] + [f'l."bits_{column}"' for column in rare])
    levels = ", ".join(f'compared."{one.column}"' for one in found)
    unknown = ", ".join(f'cast(null as tinyint) as "{one.column}"' for one in found)
    session.show(
        into,
        f"with named as (select p.a, p.b, {_is_vetoed(found, model)} as is_vetoed from {pairs} as p"
        f" inner join {prepared} as l on p.a = l.record_no"
        f" inner join {prepared} as r on p.b = r.record_no),"
        f" rated as (select prepared.*{rated} from {prepared} as prepared{lookups}"
        " where prepared.record_no in (select a from named where not is_vetoed)),"
        f" others as (select prepared.* from {prepared} as prepared"
        " where prepared.record_no in (select b from named where not is_vetoed)),"
        f" compared as (select p.a, p.b, {columns} from named as p"
        " inner join rated as l on p.a = l.record_no"
        " inner join others as r on p.b = r.record_no where not p.is_vetoed),"
        f" added_up as (select compared.*, {_sums(found, model)} from compared)"
        f" select compared.a, compared.b, {_weight(model)} as weight, {levels}"
        f" from added_up as compared where {_is_told(found)} union all"
        f" select a, b, {VETO_WEIGHT} as weight, {unknown} from named where is_vetoed",
    )


def weighed(model: LinkModel) -> list[Comparison]:
    """The comparisons that the model knows; one trained before there were others knows fewer."""
    return [one for one in comparisons(model.fields) if one.name in model.comparisons]


def _register_bits(session: Session, model: LinkModel, column: str) -> None:
    frequencies = model.frequencies[column]
    rows = pa.table(
        {
            "value": pa.array(list(frequencies.common), pa.string()),
            "bits": pa.array(
                [frequencies.bits(share) for share in frequencies.common.values()], pa.float64()
            ),
        }
    )
    session.register(f"incoming_{column}", rows)
    session.hold(f'"bits_{column}"', f'select * from "incoming_{column}"')


def _sums(found: list[Comparison], model: LinkModel) -> str:
    """SQL: `person`, prior, levels and rarity added up, and `home`, the same of two of one home.

    A value is as rare for those who share a home as for one who is told of twice.
    """
    shared = [one for one in found if model.comparisons[one.name].is_of_a_home]
    rest = [one for one in found if one not in shared]
    common = " + ".join(["0.0", *_rarities(shared, model)])
    own = [f"{model.prior_weight:.6f}", *_rarities(rest, model)]
    own += [_level_weight(one, model, "weight") for one in found]
    home = [f"{model.home_prior_weight or 0.0:.6f}"]
    home += [_level_weight(one, model, "home_weight") for one in shared]
    return (
        f"{common} as common, {' + '.join(own)} + common as person,"
        f" {' + '.join(home)} + common as home"
    )


def _weight(model: LinkModel) -> str:
    """SQL: for one person, against any two and two of one home."""
    against = "" if model.home_prior_weight is None else " - log2(1.0 + power(2.0, home))"
    return f"round(person{against}, {DIGITS})"


def _is_vetoed(found: list[Comparison], model: LinkModel) -> str:
    """SQL: the names of `l` and `r` differ as those of one person do not, and no id proves it."""
    vetoes = [f"({one.level} = 0)" for one in found if model.comparisons[one.name].is_veto]
    proven = [f"({one.level} = 1)" for one in found if one.kind == "unique_id"]
    return f"({' or '.join(vetoes) or 'false'}) and not ({' or '.join(proven) or 'false'})"


def _is_told(found: list[Comparison]) -> str:
    """SQL: something could be compared; a pair of which nothing is known says nothing."""
    return " or ".join(["false", *(f'compared."{one.column}" >= 0' for one in found)])


def _level_weight(comparison: Comparison, model: LinkModel, which: str) -> str:
    levels = model.comparisons[comparison.name].levels
    steps = " ".join(
        f"when {number} then {getattr(one, which):.6f}" for number, one in enumerate(levels)
    )
    return f'case compared."{comparison.column}" {steps} else 0.0 end'


def _rarities(found: list[Comparison], model: LinkModel) -> list[str]:
    return [
        _rarity(one.column, level, column, model)
        for one in found
        for level, column in one.frequency_columns.items()
    ]


def _rarity(level_column: str, level: int, column: str, model: LinkModel) -> str:
    frequencies = model.frequencies[column]
    rare = f"{frequencies.bits(frequencies.rare):.6f}"
    return (
        f'case when compared."{level_column}" = {level}'
        f' then coalesce(compared."bits_{column}", {rare}) else 0.0 end'
    )
