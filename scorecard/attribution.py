"""Each attribution model against what the channels truly brought.

A channel truly brought its effect times its touches: the purchases that would not have been without
it. The effect of e-mail is that of an opened message, those of the others are of a visit.

Who comes by themselves buys anyway, and every model credits that to direct visits. So the distance
is told of all channels, and of those in which campaigns run: how right is the share of each in what
the models give to campaigns?
"""

from collections.abc import Iterator
from typing import Any

from scorecard.rows import Row, not_built
from warehouse import Session

AREA = "attribution"
TABLES = (
    *("marts.attribution", "marts.dim_campaigns"),
    *("marts.fct_touchpoints", "marts.fct_email_engagement"),
)
SETS = {
    "distance": "true",
    "campaign distance": "channel in (select marketing_channel from marts.dim_campaigns)",
}
# One row per model and channel of the truth: what is credited to it, and what it brought.
COMPARED = """
with touches as (
    select marketing_channel, count(*) as touches
    from marts.fct_touchpoints
    where marketing_channel <> 'email'
    group by marketing_channel
    union all
    select 'email', count(*) from marts.fct_email_engagement where opened_at is not null
),
brought as (
    select effects.channel, effects.effect * coalesce(touches.touches, 0) as purchases
    from truth_channel_effects as effects
    left join touches on effects.channel = touches.marketing_channel
),
credited as (
    select
        attribution_model, marketing_channel, cast(sum(credited_revenue) as double) as revenue
    from marts.attribution
    group by attribution_model, marketing_channel
),
models as (select distinct attribution_model from credited)
select
    models.attribution_model, brought.channel, brought.purchases,
    coalesce(credited.revenue, 0) as revenue
from models
cross join brought
left join credited
    on models.attribution_model = credited.attribution_model
    and brought.channel = credited.marketing_channel
"""
# Ties have the mean of their places. Sums of floats differ beyond nine decimals from run to run.
MODELS = """
with shares as (
    select
        attribution_model, channel,
        revenue / nullif(sum(revenue) over (partition by attribution_model), 0) as credited,
        purchases / nullif(sum(purchases) over (partition by attribution_model), 0) as brought
    from channel_credits
    where {condition}
),
ranked as (
    select
        *, credited - brought as excess,
        rank() over (partition by attribution_model order by credited)
        + count(*) over (partition by attribution_model, credited) / 2 as credited_rank,
        rank() over (partition by attribution_model order by brought)
        + count(*) over (partition by attribution_model, brought) / 2 as brought_rank
    from shares
)
select
    attribution_model as model,
    round(sum(abs(excess)) / 2, 9) as distance,
    case when min(credited) < max(credited) and min(brought) < max(brought)
        then round(corr(credited_rank, brought_rank), 9) end as correlation,
    arg_max(channel, excess) as most, max(excess) as too_much,
    arg_min(channel, excess) as least, min(excess) as too_little
from ranked
group by attribution_model
order by distance, attribution_model
"""


def rows(session: Session) -> Iterator[Row]:
    """Of each model, the nearest first: its distance from the truth, and whether it ranks alike."""
    for table in TABLES:
        if not session.exists(table):
            yield not_built(AREA, "distance", table)
            return
    session.register("channel_credits", session.read(COMPARED))
    for measure, condition in SETS.items():
        models = session.read(MODELS.format(condition=condition)).to_pylist()
        for model in models:
            yield Row(AREA, f"{measure}: {model['model']}", model["distance"], note=_note(model))
    for model in sorted(models, key=lambda model: model["correlation"] or -2, reverse=True):
        metric = f"rank correlation: {model['model']}"
        yield Row(AREA, metric, model["correlation"], "correlation")


def _note(model: dict[str, Any]) -> str:
    """Where the model errs most."""
    if model["distance"] is None:
        return "no order is credited to any of these channels"
    return "{most} {too_much:+.2f}, {least} {too_little:+.2f}".format(**model)
