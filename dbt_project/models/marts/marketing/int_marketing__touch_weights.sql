{# One row per touch that led up to an order, with the share of the order each model gives it. #}

with

paths as (

    select * from {{ ref('int_marketing__paths') }}
    where order_id is not null

),

channel_credits as (

    select * from {{ source('ml', 'channel_credits') }}

),

described as (

    select
        paths.touchpoint_id,
        paths.order_id,
        paths.marketing_channel,
        paths.campaign_key,
        paths.position,
        paths.touches,
        coalesce(channel_credits.removal_effect, 0) as removal_effect,
        pow(
            0.5,
            ({{ epoch_seconds('paths.ordered_at') }} - {{ epoch_seconds('paths.occurred_at') }})
            / (86400 * {{ var('attribution_half_life_days') }})
        ) as freshness,
        count(*) over (partition by paths.order_id, paths.marketing_channel) as touches_of_channel,
        row_number() over (
            partition by paths.order_id, paths.marketing_channel
            order by paths.position asc nulls last
        ) as touch_of_channel
    from paths
    left join channel_credits on paths.marketing_channel = channel_credits.marketing_channel

),

totals as (

    select
        order_id,
        sum(freshness) as freshness,
        sum(case when touch_of_channel = 1 then removal_effect else 0 end) as removal_effect,
        sum(case when touch_of_channel = 1 then 1 else 0 end) as channels
    from described
    group by order_id

),

{#
Shapley: the worth of a set of channels is the orders whose paths stay within it, and then each
order is shared equally by its channels. Markov: by what would be lost without each channel.
#}
final as (

    select
        described.touchpoint_id,
        described.order_id,
        described.marketing_channel,
        described.campaign_key,
        described.position,
        case when described.position = 1 then 1.0 else 0.0 end as first_touch,
        case when described.position = described.touches then 1.0 else 0.0 end as last_touch,
        cast(1 as double) / described.touches as linear,
        round(described.freshness / totals.freshness, 12) as time_decay,
        case
            when described.touches = 1 then 1.0
            when described.touches = 2 then 0.5
            when described.position in (1, described.touches) then 0.4
            else cast(0.2 as double) / (described.touches - 2)
        end as position_based,
        case
            when totals.removal_effect > 0
                then
                    round(
                        described.removal_effect / totals.removal_effect
                        / described.touches_of_channel,
                        12
                    )
            else cast(1 as double) / described.touches
        end as markov,
        cast(1 as double) / totals.channels / described.touches_of_channel as shapley
    from described
    inner join totals on described.order_id = totals.order_id

)

select * from final
