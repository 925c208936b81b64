{# One row per visit in which a cart was filled, a checkout begun or an order completed. #}
{{ config(materialized='view') }}

with

checkouts as (

    select * from {{ ref('int_behaviour__checkouts') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

final as (

    select
        checkouts.session_id,
        checkouts.customer_id,
        checkouts.began_at,
        checkouts.marketing_channel,
        checkouts.device,
        checkouts.products_added,
        checkouts.products_removed,
        checkouts.products_kept,
        checkouts.cart_filled_at,
        checkouts.checkout_started_at,
        checkouts.payment_entered_at,
        checkouts.ordered_at,
        checkouts.orders,
        case
            when checkouts.orders > 0 then 'ordered'
            when checkouts.payment_entered_at is not null then 'payment'
            when checkouts.checkout_started_at is not null then 'checkout'
            else 'cart'
        end as furthest_step,
        case
            when checkouts.orders > 0 then 'ordered'
            when checkouts.ordered_at is not null then 'ordered_later'
            when checkouts.products_added > 0 and checkouts.products_kept = 0 then 'emptied'
            when
                cast(checkouts.began_at as date) + interval '{{ var("cart_days") }}' day
                >= as_of.as_of
                then 'open'
            else 'abandoned'
        end as outcome
    from checkouts
    cross join as_of

)

select * from final
