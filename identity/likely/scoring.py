"""The weight of evidence that two records are one person, in bits, one column per comparison."""

import pyarrow as pa

from identity.likely.comparisons import Comparison, comparisons
from identity.likely.model import LinkModel
from warehouse import Session

VETO_WEIGHT = -6.0  # bits: a vetoed pair is never likelier than 1 in 64
DIGITS = 6  # of a weight: what is left is the same on every engine and number of threads


def score(session: Session, pairs: str, prepared: str, model: LinkModel, into: str) -> None:
    """Show a, b, weight and the level of every comparison, for each pair (a, b)."""
    found = weighed(model)
    rare = sorted({column for one in found for column in one.frequency_columns.values()})
    for column in rare:
        _register_bits(session, model, column)
    rated = "".join(f', "bits_{column}".bits as "bits_{column}"' for column in rare)
    lookups = "".join(
        f' left join "bits_{column}" on prepared."{column}" = "bits_{column}".value'
        for column in rare
    )
    columns = ", ".join([one.sql for one in found] + [f'l."bits_{column}"' for column in rare])
    levels = ", ".join(f'compared."{comparison.column}"' for comparison in found)
    session.show(
        into,
        "with rated as ("
        f"select prepared.*{rated} from {prepared} as prepared{lookups}),"
        f" compared as (select p.a, p.b, {columns} from {pairs} as p"
        f" inner join rated as l on p.a = l.record_no"
        f" inner join {prepared} as r on p.b = r.record_no)"
        f", added_up as (select compared.*, {_sums(found, model)} from compared)"
        f" select compared.a, compared.b, {_weight(found, model)} as weight, {levels}"
        " from added_up as compared",
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
    session.execute(
        f'create or replace temp table "bits_{column}" as select * from "incoming_{column}"'
    )


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


def _weight(found: list[Comparison], model: LinkModel) -> str:
    """SQL: for one person, against any two and two of one home; capped where names forbid it."""
    against = "" if model.home_prior_weight is None else " - log2(1.0 + power(2.0, home))"
    total = f"round(person{against}, {DIGITS})"
    vetoes = [one.column for one in found if model.comparisons[one.name].is_veto]
    if not vetoes:
        return total
    proven = [f'compared."{one.column}" = 1' for one in found if one.kind == "unique_id"]
    differs = " or ".join(f'compared."{column}" = 0' for column in vetoes)
    condition = f"({differs}) and not ({' or '.join(proven) or 'false'})"
    return f"case when {condition} then least({total}, {VETO_WEIGHT}) else {total} end"


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
