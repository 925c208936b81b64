{#
One row per buyer and Monday since their first order: where they stand among all buyers.

Shares are those of buyers who ordered no later, seldomer or for less, and half of those who ordered
as often or for as much: where most have ordered once, once is not often. What happened before the
Monday counts. A week in which nobody ordered moves nobody and has no review.
#}

with

buyer_days as (

    select * from {{ ref('buyer_days') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

weeks as (

    select
        customer_id,
        cast(date_trunc('week', active_on) as date) as week,
        sum(orders) as orders,
        sum(gross_amount - refund_amount) as net_amount,
        max(case when orders > 0 then active_on end) as last_order_on
    from buyer_days
    group by customer_id, cast(date_trunc('week', active_on) as date)

),

buyers as (

    select
        customer_id,
        min(week) as first_week
    from weeks
    group by customer_id
    having sum(orders) > 0

),

reviewed_weeks as (

    select distinct weeks.week
    from weeks
    cross join as_of
    where weeks.week + interval '7' day <= as_of.as_of

),

standing as (

    select
        buyers.customer_id,
        reviewed_weeks.week,
        sum(coalesce(weeks.orders, 0)) over so_far as orders,
        sum(coalesce(weeks.net_amount, 0)) over so_far as net_amount,
        max(weeks.last_order_on) over so_far as last_order_on
    from buyers
    inner join reviewed_weeks on buyers.first_week <= reviewed_weeks.week
    left join weeks
        on buyers.customer_id = weeks.customer_id and reviewed_weeks.week = weeks.week
    window so_far as (
        partition by buyers.customer_id
        order by reviewed_weeks.week asc nulls last rows unbounded preceding
    )

),

ranked as (

    select
        customer_id,
        week,
        100
        * cume_dist()
            over (partition by week order by last_order_on asc nulls last)
            as recency_share,
        50 * (
            cume_dist() over by_orders
            + cast(rank() over by_orders - 1 as double) / count(*) over (partition by week)
        ) as frequency_share,
        50 * (
            cume_dist() over by_amount
            + cast(rank() over by_amount - 1 as double) / count(*) over (partition by week)
        ) as monetary_share
    from standing
    where orders > 0
    window
        by_orders as (partition by week order by orders asc nulls last),
        by_amount as (partition by week order by net_amount asc nulls last)

),

final as (

    select
        customer_id,
        cast(week + interval '7' day as date) as reviewed_on,
        round(recency_share, 6) as recency_share,
        round(frequency_share, 6) as frequency_share,
        round(monetary_share, 6) as monetary_share,
        round((frequency_share + monetary_share) / 2, 6) as value_share
    from ranked

)

select * from final
