{# One row per visit in which a cart was filled, a checkout begun or an order completed. #}

with

events as (

    select
        *,
        coalesce(order_id, message_id) as order_key
    from {{ ref('int_behaviour__events') }}
    where
        not is_bot
        and not is_internal
        and event_name in (
            'Product Added', 'Product Removed', 'Cart Viewed', 'Checkout Started',
            'Checkout Step Viewed', 'Checkout Step Completed', 'Payment Info Entered',
            'Order Completed'
        )

),

sessions as (

    select * from {{ ref('fct_sessions') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

steps as (

    select
        session_id,
        min(occurred_at) as began_at,
        min(case when event_name = 'Product Added' then occurred_at end) as cart_filled_at,
        min(case when event_name like 'Checkout S%' then occurred_at end) as checkout_started_at,
        min(case when event_name = 'Payment Info Entered' then occurred_at end)
            as payment_entered_at,
        min(case when event_name = 'Order Completed' then occurred_at end) as ordered_at,
        count(case when event_name = 'Product Added' then 1 end) as products_added,
        count(case when event_name = 'Product Removed' then 1 end) as products_removed,
        {# A page of thanks that is loaded again reports its order again. #}
        count(distinct case when event_name = 'Order Completed' then order_key end) as orders
    from events
    group by session_id
    {# Looking into a cart fills none: it may be empty. #}
    having count(case when event_name not in ('Product Removed', 'Cart Viewed') then 1 end) > 0

),

{# The order may come later, on another device or in the store. #}
bought_later as (

    select
        steps.session_id,
        min(orders.ordered_at) as ordered_at
    from steps
    inner join sessions on steps.session_id = sessions.session_id
    inner join orders
        on
            sessions.customer_id = orders.customer_id
            and steps.began_at <= orders.ordered_at
            and steps.began_at + interval '{{ var("cart_days") }}' day >= orders.ordered_at
    where steps.ordered_at is null
    group by steps.session_id

),

final as (

    select
        steps.session_id,
        sessions.customer_id,
        steps.began_at,
        sessions.marketing_channel,
        sessions.device,
        steps.products_added,
        steps.products_removed,
        steps.cart_filled_at,
        steps.checkout_started_at,
        steps.payment_entered_at,
        coalesce(steps.ordered_at, bought_later.ordered_at) as ordered_at,
        steps.orders,
        case
            when steps.ordered_at is not null then 'ordered'
            when steps.payment_entered_at is not null then 'payment'
            when steps.checkout_started_at is not null then 'checkout'
            else 'cart'
        end as furthest_step,
        case
            when steps.ordered_at is not null then 'ordered'
            when bought_later.session_id is not null then 'ordered_later'
            when
                cast(steps.began_at as date) + interval '{{ var("cart_days") }}' day
                >= as_of.as_of
                then 'open'
            else 'abandoned'
        end as outcome
    from steps
    inner join sessions on steps.session_id = sessions.session_id
    cross join as_of
    left join bought_later on steps.session_id = bought_later.session_id

)

select * from final
