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
        ways += [
            f'coalesce({left} = r."{family_name}", false)',
            f'coalesce(l."{family_name}" = {right}, false)',
        ]
    agree = " or ".join(ways)
    return f"case when {left} is not null and {right} is not null then {agree} end"
