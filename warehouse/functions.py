"""Functions of text that engines name differently, as SQL for the engine of this process.

Spark needs three functions registered: jaro_winkler_similarity, damerau_levenshtein and
strip_accents; `tests/spark/identity.py` shows how.
"""

from collections.abc import Iterable

import settings

SQL = {
    "duckdb": {
        "jaro_winkler": "jaro_winkler_similarity({0}, {1})",
        "edits": "damerau_levenshtein({0}, {1})",
        "hash": "hash({0})",
        "hash_type": "ubigint",
        "content": "{0}",  # null is a value to its hash, as it is not to Spark's
        "key_number": "cast(hash({0}) >> 1 as bigint)",
        "without_accents": "strip_accents({0})",
        "any_in_common": "list_has_any({0}, {1})",
        "split": "string_split({0}, {1})",
        "without": "regexp_replace({0}, {1}, {2}, 'g')",
        "trimmed": "trim({0}, {1})",
        "found": "regexp_extract({0}, {1})",
        "days": "date_diff('day', {0}, {1})",
        "matches": "regexp_full_match({0}, {1})",
    },
    "spark": {
        "jaro_winkler": "jaro_winkler_similarity({0}, {1})",
        "edits": "damerau_levenshtein({0}, {1})",
        "hash": "xxhash64({0})",
        "hash_type": "bigint",
        "content": "coalesce(cast({0} as string), '~')",
        "key_number": "shiftrightunsigned(xxhash64({0}), 1)",
        "without_accents": "strip_accents({0})",
        "any_in_common": "arrays_overlap({0}, {1})",
        "split": "split({0}, {1})",
        "without": "regexp_replace({0}, {1}, {2})",
        "trimmed": "trim(both {1} from {0})",
        "found": "regexp_extract({0}, {1}, 0)",
        "days": "datediff({1}, {0})",
        "matches": "({0} rlike concat('^(', {1}, ')$'))",
    },
}


def function(name: str, *arguments: str) -> str:
    """The SQL of one call on the engine that this process works on."""
    return SQL[settings.target()][name].format(*arguments)


def key_number(*columns: str) -> str:
    """SQL of a positive bigint that stands for these values: equal values, equal number.

    Engines number differently, and may after an upgrade: whoever stores numbers keeps the number
    of a known text with them and starts anew when that changes.
    """
    return function("key_number", ", ".join(columns))


def content_number(columns: Iterable[str]) -> str:
    """SQL of a bigint that changes when one of the columns does, null being a value."""
    return key_number(*(function("content", column) for column in columns))
