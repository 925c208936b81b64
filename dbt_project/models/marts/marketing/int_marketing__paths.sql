{#
One row per touch of a known person that counts, with the order it led up to, if any.

A touch counts for the next order alone, so that the earlier touches of a repeat buyer are not
credited again, and only for so many days. Touches that led to no order are cut into paths of so many
days, too: one that goes on for years would count as one miss beside paths to orders of a month. A
receipt of a till is a touch of its own order. Direct visits and tills say where somebody bought, not
what brought them: they stay in a path only when nothing else is in it.
#}

with

touchpoints as (

    select * from {{ ref('fct_touchpoints') }}
    where customer_id is not null

),

orders as (

    select * from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0

),

moments as (

    select
        customer_id,
        occurred_at,
        touchpoint_id,
        0 as is_order,
        cast(null as string) as order_id
    from touchpoints
    union all
    select
        customer_id,
        ordered_at as occurred_at,
        null as touchpoint_id,
        1 as is_order,
        order_id
    from orders

),

next_orders as (

    select
        touchpoint_id,
        {{ last_known('order_id') }} over (
            partition by customer_id
            order by occurred_at desc, is_order desc, order_id desc
            rows between unbounded preceding and current row
        ) as order_id
    from moments

),

led_up as (

    select
        touchpoints.touchpoint_id,
        touchpoints.customer_id,
        touchpoints.occurred_at,
        touchpoints.marketing_channel,
        touchpoints.campaign_key,
        orders.order_id as next_order_id,
        case
            when
                touchpoints.occurred_at
                >= orders.ordered_at - interval '{{ var("attribution_days") }}' day
                then orders.order_id
        end as order_id,
        orders.ordered_at,
        min(touchpoints.occurred_at) over (
            partition by touchpoints.customer_id, orders.order_id
        ) as began_at
    from touchpoints
    inner join next_orders on touchpoints.touchpoint_id = next_orders.touchpoint_id
    left join orders as own_orders
        on touchpoints.kind = 'store' and touchpoints.reference = own_orders.order_id
    left join orders on coalesce(own_orders.order_id, next_orders.order_id) = orders.order_id

),

spans as (

    select
        *,
        marketing_channel in ('direct', 'store') as is_bare,
        case
            when order_id is null
                then
                    cast(
                        floor(
                            ({{ epoch_seconds('occurred_at') }} - {{ epoch_seconds('began_at') }})
                            / (86400 * {{ var('attribution_days') }})
                        ) as bigint
                    )
        end as span_number
    from led_up

),

paths as (

    select
        *,
        {{ surrogate_key(['customer_id', 'next_order_id', 'order_id', 'span_number']) }} as path_id
    from spans

),

marked as (

    select
        *,
        max(case when is_bare then 0 else 1 end) over (partition by path_id) as has_marketing
    from paths

),

final as (

    select
        touchpoint_id,
        customer_id,
        occurred_at,
        marketing_channel,
        campaign_key,
        order_id,
        case when order_id is not null then ordered_at end as ordered_at,
        path_id,
        row_number() over (
            partition by path_id order by occurred_at asc nulls last, touchpoint_id asc nulls last
        ) as position,
        count(*) over (partition by path_id) as touches
    from marked
    where not is_bare or has_marketing = 0

)

select * from final
