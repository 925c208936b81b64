"""Likely links: how probable it is that two records are one person (Fellegi and Sunter, in SQL).

`fields` brings declared columns into one form, `blocking` names which records are worth comparing,
`comparisons` says how alike two values can be, `training` learns without labels what each
likeness is worth, `model` keeps that as readable JSON, and `scoring` weighs pairs with it. The
same code serves the platform's own records and any labelled table: it knows kinds, not columns.
"""

from identity.likely.blocking import block_keys, candidate_pairs, key_caps
from identity.likely.fields import prepare
from identity.likely.model import LinkModel
from identity.likely.names import names_agree
from identity.likely.namesakes import count_namesakes
from identity.likely.scoring import score
from identity.likely.training import train

__all__ = [
    "LinkModel",
    "block_keys",
    "candidate_pairs",
    "count_namesakes",
    "key_caps",
    "names_agree",
    "prepare",
    "score",
    "train",
]
