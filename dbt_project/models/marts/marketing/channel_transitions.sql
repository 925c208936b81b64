{#
One row per step between channels that people took on their way to an order, or to none.

A path begins at (start) and ends at (order), or at (none) when no order followed in time. Paths
that may still lead to an order are left out.
#}

with

paths as (

    select * from {{ ref('int_marketing__paths') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

steps as (

    select
        paths.order_id,
        paths.marketing_channel,
        paths.position,
        paths.touches,
        lag(paths.marketing_channel) over (
            partition by paths.path_id order by paths.position asc nulls last
        ) as previous_channel,
        max(paths.occurred_at) over (partition by paths.path_id)
        + interval '{{ var("attribution_days") }}' day <= as_of.as_of as is_over
    from paths
    cross join as_of

),

decided as (

    select * from steps
    where order_id is not null or is_over

),

moves as (

    select
        coalesce(previous_channel, '(start)') as from_channel,
        marketing_channel as to_channel
    from decided
    union all
    select
        marketing_channel as from_channel,
        case when order_id is null then '(none)' else '(order)' end as to_channel
    from decided
    where position = touches

),

final as (

    select
        from_channel,
        to_channel,
        count(*) as transitions
    from moves
    group by from_channel, to_channel

)

select * from final
