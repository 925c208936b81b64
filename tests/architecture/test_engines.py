"""Every model's SQL means the same on DuckDB and on Spark, as far as a parser can tell.

Refused is what both engines take and answer differently, and what one of them lacks outside a macro
of `macros/engines.sql`. A division by zero is not: Spark stops at it, so it is not silent.
"""

import re
from collections.abc import Callable, Iterator, Mapping

import dbt.context.providers
import pytest
import sqlglot
from dbt.cli.main import dbtRunner
from sqlglot import exp
from sqlglot.dialects.spark import Spark

import settings
from tests.conftest import use_home

pytestmark = pytest.mark.slow  # dbt compiles all models, once for each engine
RELATION = re.compile(r'"[^"\n]+"\."(\w+)"\."(\w+)"')  # as dbt-duckdb writes them
LACKING = re.compile(
    r"\b(arg_max|arg_min|asof|at time zone|date_diff|date_part|epoch|generate_series|hash"
    r"|json_extract_string|list|list_\w+|listagg|qualify|regexp_full_match|regexp_matches"
    r"|sha256|starts_with|strftime|string_agg|strip_accents|strpos|struct_pack"
    r"|union by name|unnest|as text|as timestamptz|as varchar)\b"
)
WHOLE_NUMBERS = (exp.DataType.Type.BIGINT, exp.DataType.Type.INT)
WITH_GROUP = 3  # arguments of regexp_extract
ROUNDED = (exp.Floor, exp.Ceil, exp.Round)
Rule = Callable[[exp.Expression], Iterator[exp.Expression]]


class NullsLast(Spark):
    """Spark's grammar with DuckDB's order of nulls."""

    NULL_ORDERING = "nulls_are_last"


def compiled(engine: str) -> Mapping[str, str]:
    """The SQL of every model as the macros write it for this engine."""
    python_models = [path.stem for path in settings.DBT_PROJECT.rglob("models/**/*.py")]
    folder = ["--project-dir", str(settings.DBT_PROJECT)]
    with pytest.MonkeyPatch.context() as patch:
        names = dbt.context.providers.get_adapter_type_names
        patch.setattr(
            dbt.context.providers, "get_adapter_type_names", lambda own: [engine, *names(own)]
        )
        done = dbtRunner().invoke(
            ["compile", "-q", *folder, "--profiles-dir", folder[1], "-s", "resource_type:model"]
            + ["--exclude", *python_models]
        )
    assert done.success, done.exception
    nodes = (result.node for result in done.result.results)  # type: ignore[union-attr]
    return {node.name: RELATION.sub(r"\1.\2", node.compiled_code) for node in nodes}


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """Every model's SQL by engine and name."""
    with pytest.MonkeyPatch.context() as patch:
        use_home(tmp_path_factory.mktemp("engines"), patch)
        yield {engine: compiled(engine) for engine in ("duckdb", "spark")}


def parsed(sql: str, dialect: type[sqlglot.Dialect] | str) -> exp.Expression:
    """The tree of one statement. Raises ParseError."""
    return sqlglot.parse_one(sql, read=dialect)


def is_date(value: exp.Expression) -> bool:
    """Whether it is a date, by its cast or by the names we give dates."""
    cast_to_date = isinstance(value, exp.Cast) and value.to.this == exp.DataType.Type.DATE
    return cast_to_date or (
        isinstance(value, exp.Column) and (value.name.endswith("_on") or value.name == "as_of")
    )


def orders_of_nulls(sql: str) -> list[str]:
    """Ascending orders that do not say where nulls go."""
    pairs = zip(
        parsed(sql, "spark").find_all(exp.Ordered),
        parsed(sql, NullsLast).find_all(exp.Ordered),
        strict=True,
    )
    return [
        ours.sql("spark")
        for ours, theirs in pairs
        if ours.args["nulls_first"] != theirs.args["nulls_first"]
    ]


def all_of(*kinds: type[exp.Expression]) -> Rule:
    """Everything of these kinds."""
    return lambda tree: tree.find_all(*kinds)


def such(kind: type[exp.Expression], is_wrong: Callable[[exp.Expression], bool]) -> Rule:
    """Those of a kind that are wrong."""
    return lambda tree: (node for node in tree.find_all(kind) if is_wrong(node))


def is_cut_to_whole(cast: exp.Expression) -> bool:
    """Whether a fraction is cast to a whole number: one engine rounds, the other cuts off."""
    fractions = cast.find(exp.Div) or any("." in n.name for n in cast.find_all(exp.Literal))
    return (
        cast.args["to"].this in WHOLE_NUMBERS
        and bool(fractions)
        and not isinstance(cast.this, ROUNDED)
    )


def is_of_decimals(division: exp.Expression) -> bool:
    """Whether a number with a point is divided, or divides, and is not cast."""
    written = (number for number in division.find_all(exp.Literal) if "." in number.name)
    return any(number.find_ancestor(exp.Cast, exp.Div) is division for number in written)


DIFFERENT: Mapping[str, Rule] = {
    "replaces the first match, or all": all_of(exp.RegexpReplace),
    "gives the match, or its first group": such(
        exp.RegexpExtract, lambda n: len(n.args) < WITH_GROUP
    ),
    "is another text: backslash": such(exp.Literal, lambda n: n.is_string and "\\" in n.name),
    "skips nulls, or is null": such(exp.Concat, lambda n: not isinstance(n, exp.ConcatWs)),
    "rounds, or cuts off": such(exp.Cast, is_cut_to_whole),
    "counts from one, or from zero": all_of(exp.Bracket),
    "is a number of days, or an interval": such(
        exp.Sub, lambda n: is_date(n.this) and is_date(n.expression)
    ),
    "counts days of the week from zero, or one": such(
        exp.Extract, lambda n: n.name.lower() in ("dow", "dayofweek")
    ),
    "is a time, or a date": such(
        exp.Add, lambda n: isinstance(n.parent, exp.Alias) and bool(n.find(exp.Interval))
    ),
    "divides as doubles, or as decimals": such(exp.Div, is_of_decimals),
    "is a fraction, or a whole number": such(exp.Floor, lambda n: isinstance(n.parent, exp.Alias)),
    "comes in any order": such(
        exp.ArrayAgg, lambda n: not isinstance(n.parent, (exp.SortArray, exp.ArraySize))
    ),
}


def differences(sql: str) -> list[str]:
    """What in Spark's SQL would not mean the same on DuckDB, or not exist."""
    tree = parsed(sql, "")  # a dialect of no engine adds nothing that is not written
    found = [
        f"{node.sql('spark')[:80]} {what}"
        for what, rule in DIFFERENT.items()
        for node in rule(tree)
    ]
    found += [f"order by {order}: nulls come last, or first" for order in orders_of_nulls(sql)]
    found += [f"{match[0]} does not exist on Spark" for match in LACKING.finditer(sql)]
    return found + ["a name in double quotes is a text on Spark"] * ('"' in sql)


def test_every_model_parses_on_both_engines(engines: Mapping[str, Mapping[str, str]]) -> None:
    unread = []
    for engine, models in engines.items():
        for name, sql in models.items():
            try:
                parsed(sql, engine)
            except sqlglot.ParseError as error:
                unread.append((engine, name, str(error)))
    assert unread == []


def test_no_model_means_something_else_on_spark(engines: Mapping[str, Mapping[str, str]]) -> None:
    found = {name: differences(sql) for name, sql in engines["spark"].items()}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "sql",
    [
        "select regexp_replace(a, 'x', 'y') as b from t",
        "select regexp_extract(a, 'x') as b from t",
        r"select a like '\\d' as b from t",
        "select concat(a, null) as b from t",
        "select row_number() over (order by a asc) as b from t",
        "select cast(a / 2 as bigint) as b from t",
        "select split(a, '@')[1] as b from t",
        "select ordered_on - shipped_on as b from t",
        "select extract(dayofweek from a) as b from t",
        "select a + interval '1' month as b from t",
        "select a * 1.0 / c as b from t",
        "select floor(a) as b from t",
        "select array_agg(a) as b from t",
        "select arg_max(a, c) as b from t",
        "select cast(a as varchar) as b from t",
        'select "a" as b from t',
    ],
)
def test_what_the_engines_answer_differently_is_refused(sql: str) -> None:
    assert len(differences(sql)) == 1
