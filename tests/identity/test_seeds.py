"""A rules file that cannot be followed is told by its file, its line and what to do."""

import shutil
from pathlib import Path

import pytest

from identity.rules import RulesError
from identity.seeds import FOLDER, checked_seeds


@pytest.fixture()
def seeds(tmp_path: Path) -> Path:
    """Seed files to change."""
    return Path(shutil.copytree(FOLDER, tmp_path / "seeds"))


@pytest.mark.parametrize(
    ("seed", "old", "new", "told"),
    [
        ("identifier_types", "\nemail,4", "\nemail,", "line 5: `priority` is empty"),
        ("identifier_types", "\nemail,4,10", "\nemail,4,nan", "line 5: `weight` must be a number"),
        ("identifier_types", "\nemail,4,10", "\nemail,4,0", "line 5: .*`weight` must be above 0"),
        ("identifier_types", "4,10,1,false", "4,10,1,no", "line 5: `is_unique` must be true or"),
        ("identifier_types", ",1095,", ",3.5,", "`recycling_days` must be a whole number"),
        ("identifier_types", ",trust,", ",trusted,", "has no column `trust`. Columns: identif"),
        ("identifier_types", ",description", ",description,x", "has unknown column `x`"),
        ("identifier_types", ",E-mail", ",E,mail", "line 5: 15 cells, 14 columns"),
        (
            "identifier_types",
            "\nphone,5,",
            "\nphone,4,",
            "line 6: `priority` 4 is on line 5",
        ),
        (
            "identifier_types",
            "2,1000,,,,,,A",
            "2,1000,3,,,,,A",
            "line 2: `max_names_per_value`",
        ),
        ("identifier_types", "\nemail,4,10", "\nemail,4,1_0", "line 5: `weight` must be a number"),
        ("source_trust", "\nshop,", "\ncrm,", "line 3: `source` crm is on line 2 already"),
        (
            "blocked_values",
            "test@test.com",
            "Test@test.com",
            "line 2: .* kept as 'test@test.com'",
        ),
        ("blocked_values", '"(test|', '"(Test|', "line 3: `pattern` has capital letters"),
        ("blocked_values", "email,test@", "emial,test@", "line 2: unknown identifier type 'emial'"),
        ("blocked_values", '"(test|', '"((test|', "line 3: `pattern` is no regular expression"),
        ("source_trust", "crm,3", "crm,-3", "line 2: `trust` must be 0 or more"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_told_with_its_line(
    seeds: Path, seed: str, old: str, new: str, told: str
) -> None:
    path = seeds / f"{seed}.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RulesError, match=f"{seed}.csv.*{told}"):
        checked_seeds(seeds)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("o1,glue,crm:1,crm:2,,,seen,ann,2026-01-01", "line 2: .*Kinds: link, cut"),
        ("o1,cut,crm:1,,,,seen,ann,2026-01-01", "line 2: .*needs `record_a` and `record_b`"),
        ("o1,cut,crm:1,crm:2,,,seen,ann,yesterday", "line 2: `decided_at` must be a time in UTC"),
        ("o1,cut,crm:1,crm:2,,,seen,ann,2026-01-01 10:00+02:00", "must be a time in UTC"),
        ("o1,cut,crm:1, crm:2,,,seen,ann,2026-01-01", "line 2: `record_b` has blanks around it"),
        ("o1,block,crm:1,,email,a@x,seen,ann,2026-01-01", "line 2: name either two records or one"),
        ("o1,withdraw,crm:1,,,,seen,ann,2026-01-01", "line 2: name both records, or the ident"),
        ("o1,block,,,emial,a@x,seen,ann,2026-01-01", "line 2: unknown identifier type 'emial'"),
        ("o1,block,,,email,A@x,seen,ann,2026-01-01", "'A@x' is kept as 'a@x': write it so"),
        ("o1,block,,,phone,020 7946 0000,seen,ann,2026-01-01", "is no number such as .44207"),
        (
            "o1,cut,crm:1,crm:2,,,seen,ann,2026-01-01\no1,cut,crm:1,crm:3,,,seen,ann,2026-01-01",
            "line 3: `override_id` o1 is on line 2 already",
        ),
    ],
)
def test_a_decision_that_is_not_whole_is_told_with_its_line(
    seeds: Path, row: str, told: str
) -> None:
    with (seeds / "identity_overrides.csv").open("a") as lines:
        lines.write(f"{row}\n")
    with pytest.raises(RulesError, match=told):
        checked_seeds(seeds)


def test_a_file_that_is_no_text_is_told(seeds: Path) -> None:
    (seeds / "source_trust.csv").write_bytes(b"source,trust,description\ncrm,3,Zo\xeb\n")
    with pytest.raises(RulesError, match="source_trust.csv cannot be read"):
        checked_seeds(seeds)


def test_without_types_of_identifiers_there_is_nothing_to_resolve_by(seeds: Path) -> None:
    path = seeds / "identifier_types.csv"
    path.write_text(path.read_text().splitlines()[0])
    with pytest.raises(RulesError, match="identifier_types.csv has no rows"):
        checked_seeds(seeds)


def test_a_placeholder_is_a_text_as_any(seeds: Path) -> None:
    with (seeds / "blocked_values.csv").open("a") as lines:
        lines.write("user_id,null,false,NULL\n")
    assert checked_seeds(seeds)["blocked_values"]["reason"][-1].as_py() == "NULL"
