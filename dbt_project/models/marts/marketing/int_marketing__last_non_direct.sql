{#
One row per order with a touch before it, with the channel that last-click reports credit it to.

That is the last touch which is no direct visit and no till, also one that an earlier order has
followed, within so many days; and only where there is none the last touch of the order's path.
#}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0

),

touchpoints as (

    select * from {{ ref('fct_touchpoints') }}
    where customer_id is not null and marketing_channel not in ('direct', 'store')

),

last_of_paths as (

    select * from {{ ref('int_marketing__paths') }}
    where order_id is not null and position = touches

),

{# Many touches may come before an order; the last of them speaks. #}
before_orders as (

    select
        orders.order_id,
        touchpoints.marketing_channel,
        touchpoints.campaign_key,
        row_number() over (
            partition by orders.order_id
            order by touchpoints.occurred_at desc, touchpoints.touchpoint_id desc
        ) as place_from_end
    from orders
    inner join touchpoints
        on
            orders.customer_id = touchpoints.customer_id
            and orders.ordered_at >= touchpoints.occurred_at
            and orders.ordered_at - interval '{{ var("last_non_direct_days") }}' day
            <= touchpoints.occurred_at

),

last_touches as (

    select * from before_orders
    where place_from_end = 1

),

final as (

    select
        orders.order_id,
        coalesce(last_touches.marketing_channel, last_of_paths.marketing_channel)
            as marketing_channel,
        case
            when last_touches.order_id is not null then last_touches.campaign_key
            else last_of_paths.campaign_key
        end as campaign_key
    from orders
    left join last_touches on orders.order_id = last_touches.order_id
    left join last_of_paths on orders.order_id = last_of_paths.order_id
    where last_touches.order_id is not null or last_of_paths.order_id is not null

)

select * from final
