"""Whether two names can be one person's: the guard of links by a shared e-mail, phone or device."""

from identity.likely.comparisons import initial, nickname
from warehouse import function

ALIKE = 0.88  # Jaro-Winkler of names that are one name misspelt


def names_agree(given_name: str, family_name: str | None = None) -> str:
    """SQL over rows `l` and `r` of a prepared table: whether the given names are one name.

    Equal, nicknames of one name, misspelt, an initial, or swapped with the family name. Null
    where a given name is missing.
    """
    left, right = f'l."{given_name}"', f'r."{given_name}"'
    ways = [
        f"{left} = {right}",
        nickname(given_name),
        f"split_part({left}, ' ', 1) = split_part({right}, ' ', 1)",
        f"{function('jaro_winkler', left, right)} >= {ALIKE}",
        f"(least(length({left}), length({right})) > 2"
        f" and abs(length({left}) - length({right})) <= 1"
        f" and {function('edits', left, right)} <= 1)",
        initial(given_name),
    ]
    if family_name:
        ways += [_swapped("l", "r", given_name, family_name)]
        ways += [_swapped("r", "l", given_name, family_name)]
    agree = " or ".join(ways)
    return f"case when {left} is not null and {right} is not null then {agree} end"


def _swapped(one: str, other: str, given_name: str, family_name: str) -> str:
    """SQL: one given name is the other's family name, and the rest does not speak against it."""
    mine, theirs = f'{one}."{family_name}"', f'{other}."{given_name}"'
    likeness = function("jaro_winkler", mine, theirs)
    agree = f'{one}."{given_name}" = {other}."{family_name}"'
    return f"coalesce({agree} and ({mine} is null or {likeness} >= {ALIKE}), false)"
