{#
One row per cohort and month since its first purchase: how many of it bought again then.

A cohort is everybody who bought first in a month, and again by the channel of the first order, by
what brought them to it, and by its size. All of these are known at the first order: a segment that
is known only today would explain the past by itself. Who bought before a channel's evidence begins
looks new in its first months, so each cohort says how many months could have shown it.
#}

with

orders as (

    select * from {{ ref('int_marketing__buyers_orders') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

kinds as (
    {% for kind in ['all', 'first_channel', 'acquisition_channel', 'first_order_size'] %}
    select
        '{{ kind }}' as cohort_kind,
        {{ "'all'" if kind == 'all' else kind }} as cohort,
        cohort_month,
        month,
        customer_id,
        order_amount,
        net_amount
    from orders
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

reach as (

    select
        min(orders.month) as first_month,
        greatest(max(orders.month), cast(date_trunc('month', max(as_of.as_of)) as date))
            as last_month
    from orders
    cross join as_of

),

months as (

    select {{ every_month('first_month', 'last_month') }} as month from reach

),

channels as (

    select
        channel,
        min(month) as first_month
    from orders
    group by channel

),

{# A channel that has just come to be known brings old customers who look new. #}
histories as (

    select
        orders.cohort_month,
        max(channels.first_month) as known_since
    from orders
    inner join channels on orders.cohort_month >= channels.first_month
    where orders.order_number = 1
    group by orders.cohort_month

),

active as (

    select
        cohort_kind,
        cohort,
        cohort_month,
        month,
        count(distinct customer_id) as active_customers,
        count(*) as orders,
        sum(order_amount) as revenue,
        sum(net_amount) as net_revenue
    from kinds
    group by cohort_kind, cohort, cohort_month, month

),

{# All of a cohort bought in its first month. #}
cohorts as (

    select
        cohort_kind,
        cohort,
        cohort_month,
        active_customers as customers
    from active
    where month = cohort_month

),

{# A month in which nobody of a cohort bought is a zero, not a gap. #}
final as (

    select
        cohorts.cohort_kind,
        cohorts.cohort,
        cohorts.cohort_month,
        months.month,
        {{ months_between('cohorts.cohort_month', 'months.month') }} as months_since,
        {{ months_between('histories.known_since', 'cohorts.cohort_month') }} as months_of_history,
        cohorts.customers,
        coalesce(active.active_customers, 0) as active_customers,
        coalesce(active.orders, 0) as orders,
        cast(coalesce(active.revenue, 0) as decimal(18, 3)) as revenue,
        cast(coalesce(active.net_revenue, 0) as decimal(18, 3)) as net_revenue,
        round(coalesce(active.active_customers, 0) / cohorts.customers, 6) as retention,
        months.month < cast(date_trunc('month', as_of.as_of) as date) as is_whole_month
    from cohorts
    inner join histories on cohorts.cohort_month = histories.cohort_month
    inner join months on cohorts.cohort_month <= months.month
    cross join as_of
    left join active
        on
            cohorts.cohort_kind = active.cohort_kind
            and cohorts.cohort = active.cohort
            and cohorts.cohort_month = active.cohort_month
            and months.month = active.month

)

select * from final
