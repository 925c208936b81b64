{#
One row per number of an order and span of days: how many who ordered so often ordered again in time.

Only orders count whose span is over, so that the last weeks do not look worse than they are.
#}

with

orders as (

    select
        order_number,
        cast(ordered_at as date) as ordered_on,
        cast(next_ordered_at as date) as next_ordered_on
    from {{ ref('int_marketing__buyers_orders') }}
    where order_number <= 5

),

as_of as (

    select * from {{ ref('as_of') }}

),

observed as (

    select
        orders.order_number,
        {{ days_between('orders.ordered_on', 'as_of.as_of') }} as days_observed,
        {{ days_between('orders.ordered_on', 'orders.next_ordered_on') }} as days_to_next
    from orders
    cross join as_of

),

final as (
    {% for days in [7, 14, 30, 60, 90, 180, 365] %}
    select
        order_number,
        cast({{ days }} as bigint) as within_days,
        count(*) as customers,
        count(case when days_to_next <= {{ days }} then 1 end) as repurchased,
        round(count(case when days_to_next <= {{ days }} then 1 end) / count(*), 6) as share
    from observed
    where days_observed >= {{ days }}
    group by order_number
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final
