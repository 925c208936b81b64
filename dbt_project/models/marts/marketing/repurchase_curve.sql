{#
One row per number of an order and span of days: how many who ordered so often ordered again in time.

Only orders count whose span is over, so that the last weeks do not look worse than they are. The
orders of a day are one: an invoice in two parts is no repurchase.
#}

with

orders as (

    select
        customer_id,
        cast(ordered_at as date) as ordered_on
    from {{ ref('int_marketing__buyers_orders') }}
    group by customer_id, cast(ordered_at as date)

),

numbered as (

    select
        ordered_on,
        cast(row_number() over earlier as bigint) as order_number,
        lead(ordered_on) over earlier as next_ordered_on
    from orders
    window earlier as (partition by customer_id order by ordered_on asc nulls last)

),

as_of as (

    select * from {{ ref('as_of') }}

),

observed as (

    select
        numbered.order_number,
        {{ days_between('numbered.ordered_on', 'as_of.as_of') }} as days_observed,
        {{ days_between('numbered.ordered_on', 'numbered.next_ordered_on') }} as days_to_next
    from numbered
    cross join as_of
    where numbered.order_number <= 5

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
