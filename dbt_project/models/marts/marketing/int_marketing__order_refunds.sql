{#
One row per order of which something was given back, with how much.

A refund that names a receipt is taken from it; cancellations of the shop name no order and are
placed by what the customer had bought. Never is it more than the order was worth.
#}

with

refunds as (

    select * from {{ ref('fct_refunds') }}
    where is_counted and refunded_order_id is not null

),

placed_refunds as (

    select * from {{ ref('int_marketing__placed_refunds') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

found as (

    select
        refund_amount,
        refunded_order_id as order_id
    from refunds
    union all
    select
        refund_amount,
        order_id
    from placed_refunds

),

given_back as (

    select
        order_id,
        sum(refund_amount) as refund_amount
    from found
    group by order_id

),

final as (

    select
        given_back.order_id,
        cast(least(given_back.refund_amount, orders.order_amount) as decimal(18, 3))
            as refund_amount
    from given_back
    inner join orders on given_back.order_id = orders.order_id

)

select * from final
