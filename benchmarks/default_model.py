"""The default link model that identity ships with: how it is made, from nothing but a seed.

`python -m benchmarks.default_model` writes identity/likely/default_model.json anew, byte by byte
the same: what training makes of the pairs of one person in a simulated company whose accuracy is
never told. Training leans on a default model: it begins with one that knows nothing, and goes on
with what came out, until that no longer matters.
"""

from dataclasses import replace

from benchmarks.people import simulated
from identity.likely import LinkModel, block_keys, count_namesakes, prepare, train
from identity.likely.comparisons import comparisons
from identity.likely.model import Level, Weights
from identity.likely.training import DEFAULT
from warehouse import Session, key_number, scratch

RECORDS, SEED = 20_000, 2
ROUNDS = 4  # what is said of the first, flat model by then is below the six digits that are kept
NAMES = {"first_name": "given_name", "last_name": "family_name"}
PLACE = {"street": "street", "city": "city", "postcode": "postcode"}
# A place declared as a whole is one comparison, in parts it is one for each.
COMPARED = (
    {**NAMES, "birth_date": "date", "email": "email", "phone": "phone", **PLACE},
    {name: PLACE[name] for name in ("street", "city")},
    {"postcode": "postcode"},
)
TAKEN_FOR = {"text": "city", "id": "phone"}  # kinds that no column here has: the likest one's
SAME_PERSON = """
select x.record_no as a, y.record_no as b from people as x
inner join people as y on x.person_id = y.person_id and x.record_no < y.record_no
"""


def made(records: int = RECORDS, seed: int = SEED) -> LinkModel:
    """The default model of so many records of the company of this seed."""
    people = simulated(records, seed)
    with scratch(given=people) as session:
        session.hold("people", f"select *, {key_number('record_key')} as record_no from given")
        session.hold("same_person", SAME_PERSON)
        for number, fields in enumerate(COMPARED):
            _hold(session, fields, f"compared_{number}")
        model = _flat()
        for _ in range(ROUNDS):
            model = _next(session, model)
    facts = {
        "made_from": "python -m benchmarks.default_model: pairs of one person in a simulated"
        " company; text as city, id as phone",
        "records": people.num_rows,
        "seed": seed,
    }
    return replace(model, facts=facts)


def _hold(session: Session, fields: dict[str, str], into: str) -> None:
    """Hold the records as they are compared by these fields."""
    prepare(session, "people", fields, f"{into}_plain")
    block_keys(session, f"{into}_plain", fields, f"{into}_keys")
    count_namesakes(session, f"{into}_plain", f"{into}_keys", fields, f"{into}_counted")
    session.hold(into, f"select * from {into}_counted")


def _flat() -> LinkModel:
    """A model to which every level is as likely, for one person as for two."""
    found = {one.kind: one for fields in COMPARED for one in comparisons(fields)}
    return _default_of(
        {
            kind: Weights(kind, tuple(Level(name, *[1 / len(one.names)] * 2) for name in one.names))
            for kind, one in found.items()
        }
    )


def _next(session: Session, model: LinkModel) -> LinkModel:
    """What training makes of the pairs when it leans on this model."""
    found: dict[str, Weights] = {}
    for number, fields in enumerate(COMPARED):
        learned = train(
            session, f"compared_{number}", fields, "same_person", "same_person", default=model
        )
        found |= {one.kind: _of_two(one) for one in learned.comparisons.values()}
    return _default_of(found)


def _of_two(one: Weights) -> Weights:
    """The comparison without what it says of homes and vetoes, which each company learns itself."""
    return Weights(one.kind, tuple(replace(level, h=None) for level in one.levels))


def _default_of(found: dict[str, Weights]) -> LinkModel:
    kinds = {kind: weights for kind, weights in found.items() if kind != "namesakes"}
    likest = {kind: replace(kinds[other], kind=kind) for kind, other in TAKEN_FOR.items()}
    return LinkModel({}, 0.0001, kinds | likest, {})


if __name__ == "__main__":
    made().save(DEFAULT)
