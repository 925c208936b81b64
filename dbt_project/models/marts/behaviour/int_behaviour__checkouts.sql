{# One row per visit in which a cart was filled, a checkout begun or an order completed. #}
{{ config(
    materialized='by_key',
    key='coalesce(customer_id, session_id)',
    inputs={
        'fct_sessions': {
            'key': 'coalesce(customer_id, session_id)', 'numbers_of': 'fct_touchpoints'
        },
        'fct_orders': {'key': 'coalesce(customer_id, order_id)', 'is_watched': false}
    }
) }}
-- depends_on: {{ ref('fct_touchpoints') }}

with

{# Looking into a cart fills none: it may be empty. #}
sessions as (

    select * from {{ ref('fct_sessions') }}
    where
        coalesce(cart_filled_at, checkout_started_at, payment_entered_at, order_completed_at)
        is not null

),

orders as (

    select * from {{ ref('fct_orders') }}

),

{# The order may come later, on another device or in the store. #}
bought_later as (

    select
        sessions.session_id,
        min(orders.ordered_at) as ordered_at
    from sessions
    inner join orders
        on
            sessions.customer_id = orders.customer_id
            and sessions.cart_opened_at <= orders.ordered_at
            and sessions.cart_opened_at + interval '{{ var("cart_days") }}' day
            >= orders.ordered_at
    where sessions.order_completed_at is null
    group by sessions.session_id

),

final as (

    select
        sessions.session_id,
        sessions.customer_id,
        sessions.cart_opened_at as began_at,
        sessions.marketing_channel,
        sessions.device,
        sessions.products_added,
        sessions.products_removed,
        sessions.products_kept,
        sessions.cart_filled_at,
        sessions.checkout_started_at,
        sessions.payment_entered_at,
        coalesce(sessions.order_completed_at, bought_later.ordered_at) as ordered_at,
        sessions.orders
    from sessions
    left join bought_later on sessions.session_id = bought_later.session_id

)

select * from final
