{#
One row per step between channels that people took on their way to an order, or to none.

A path begins at (start) and ends at (order), or at (none) when no order followed in time. What began
too lately to have ended is left out, with an order or without: to keep the orders alone would make
the last weeks, and every channel in them, look better than they are.
#}

with

paths as (

    select * from {{ ref('int_marketing__paths') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

begun as (

    select
        paths.*,
        min(paths.occurred_at) over (partition by paths.path_id) as began_at,
        cast(as_of.as_of - interval '{{ var("attribution_days") }}' day as date) as decided_until
    from paths
    cross join as_of

),

{# A path to no order ends with its last touch that nothing can follow in time. #}
decided as (

    select
        *,
        lag(marketing_channel) over (
            partition by path_id order by position asc nulls last
        ) as previous_channel,
        max(position) over (partition by path_id) as last_position
    from begun
    where
        began_at <= decided_until
        and (order_id is not null or occurred_at <= decided_until)

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
    where position = last_position

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
