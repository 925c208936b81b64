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

    select
        order_id,
        customer_id,
        ordered_at,
        order_amount,
        row_number() over (
            partition by customer_id order by ordered_at asc nulls last, order_id asc nulls last
        ) as order_number
    from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0

),

moments as (

    select
        customer_id,
        occurred_at,
        touchpoint_id,
        0 as is_order
    from touchpoints
    union all
    select
        customer_id,
        ordered_at as occurred_at,
        null as touchpoint_id,
        1 as is_order
    from orders

),

counted as (

    select
        touchpoint_id,
        sum(is_order) over (
            partition by customer_id order by occurred_at asc nulls last, is_order asc nulls last
            rows between unbounded preceding and current row
        ) as orders_before
    from moments

),

numbered as (

    select
        touchpoints.*,
        coalesce(own_orders.order_number, counted.orders_before + 1) as order_number
    from touchpoints
    inner join counted on touchpoints.touchpoint_id = counted.touchpoint_id
    left join orders as own_orders
        on touchpoints.kind = 'store' and touchpoints.reference = own_orders.order_id

),

led_up as (

    select
        numbered.touchpoint_id,
        numbered.customer_id,
        numbered.occurred_at,
        numbered.marketing_channel,
        numbered.campaign_key,
        numbered.order_number,
        case
            when
                numbered.occurred_at
                >= orders.ordered_at - interval '{{ var("attribution_days") }}' day
                then orders.order_id
        end as order_id,
        orders.ordered_at,
        min(numbered.occurred_at) over (
            partition by numbered.customer_id, numbered.order_number
        ) as began_at
    from numbered
    left join orders
        on
            numbered.customer_id = orders.customer_id
            and numbered.order_number = orders.order_number

),

spans as (

    select
        *,
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
        {{ surrogate_key(['customer_id', 'order_number', 'order_id', 'span_number']) }} as path_id,
        marketing_channel in ('direct', 'store') as is_bare
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
