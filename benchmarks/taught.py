"""What weights learned from the truth would find: the limit of weighing the same pairs better.

Every pair that identity compared is judged by gradient boosted trees that were taught with the
truth of other people, from its weight, all levels of likeness, the exact links, and more than
identity asks: both sources, and whether the countries are one. Their log odds take the place of
all weights, and groups are resolved as ever. What they miss too is not a matter of weights.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import warehouse
from identity import linking
from identity.changes import hold_incoming, hold_rules
from identity.clustering import CLIP
from identity.groups import resolve_groups
from identity.refresh import IDENTIFIERS, RECORDS
from identity.rules import STEPS_PER_BIT, read_rules
from warehouse import Session, key_number

PEOPLE = f"""
select {key_number("record_key")} as record_no, person_id, hash(person_id) % 2 as half, country,
    dense_rank() over (order by source) as source
from read_parquet('{{people}}')
"""
LINKED = """
select a, b, sum(power(2, type_no)) as links from identity.exact_pairs group by a, b
"""
LESSONS = """
select scored.*, linked.links, x.source as one_source, y.source as other_source,
    x.country = y.country as is_one_country,
    x.person_id = y.person_id as is_one_person, x.half as half
from scored
inner join people as x on scored.a = x.record_no
inner join people as y on scored.b = y.record_no
left join linked on scored.a = linked.a and scored.b = linked.b
order by scored.a, scored.b
"""
JUDGED = """
create or replace table identity.likely_pairs as select a, b, weight from judged;
delete from identity.exact_pairs as pairs using judged
where pairs.a = judged.a and pairs.b = judged.b;
create or replace temp table gone as select record_no from incoming limit 0
"""
CUSTOMERS = """
select incoming.record_key, clusters.cluster_no as customer_id
from clusters inner join incoming on clusters.record_no = incoming.record_no
"""
ANSWERS = ("a", "b", "half", "is_one_person")


def taught(people: Path) -> pa.Table:
    """The customer of every record as such weights would have it, from what a refresh left."""
    with warehouse.trial() as session:
        rules = read_rules(session)
        hold_rules(session, rules)
        hold_incoming(session, RECORDS, IDENTIFIERS)
        lessons = _lessons(session, linking.linker(session, rules, RECORDS, IDENTIFIERS), people)
        judged = lessons.select(["a", "b"]).append_column("weight", pa.array(_weights(lessons)))
        session.register("judged", judged)
        session.run(JUDGED)
        resolve_groups(session, rules, is_full=True)
        return session.read(CUSTOMERS)


def _lessons(session: Session, likely: linking.LikelyLinks, people: Path) -> pa.Table:
    """One row per compared pair: all that is known of it, and the truth."""
    session.hold("changed", "select record_no from incoming")
    likely.show_keys(session, "changed", "shown_keys")
    session.hold("compared_pairs", "select a, b from identity.likely_pairs")
    likely.show_scores(session, "compared_pairs", "scored")
    session.hold("people", PEOPLE.format(people=people))
    session.hold("linked", LINKED)
    return session.read(LESSONS)


def _weights(lessons: pa.Table) -> npt.NDArray[np.float64]:
    """The log odds in bits of each pair, by a model that was taught with the other half."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    known = [name for name in lessons.column_names if name not in ANSWERS]
    told = np.column_stack([lessons[name].cast(pa.float64()).to_numpy() for name in known])
    half, truth = (lessons[name].to_numpy() for name in ("half", "is_one_person"))
    weights = np.zeros(len(truth))
    for tested in (0, 1):
        model = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.2, random_state=0)
        model.fit(told[half != tested], truth[half != tested])
        weights[half == tested] = model.decision_function(told[half == tested]) / np.log(2)
    most = CLIP / STEPS_PER_BIT
    return np.clip(weights, -most, 3 * most)
