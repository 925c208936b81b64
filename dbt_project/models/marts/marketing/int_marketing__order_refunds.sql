{#
One row per order of which something was given back, with how much.

A refund that names a receipt is taken from it. Cancellations of the shop name no order, so what a
customer gives back is taken from their last order of that product before it. Never is it more than
the order was worth.
#}

with

refunds as (

    select * from {{ ref('fct_refunds') }}
    where is_counted

),

sales as (

    select
        customer_id,
        product_id,
        order_id,
        min(ordered_at) as ordered_at
    from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and is_counted and customer_id is not null
    group by customer_id, product_id, order_id

),

orders as (

    select * from {{ ref('fct_orders') }}

),

candidates as (

    select
        refunds.refund_amount,
        sales.order_id,
        row_number() over (
            partition by refunds.refund_id order by sales.ordered_at desc, sales.order_id desc
        ) as place
    from refunds
    inner join sales
        on
            refunds.customer_id = sales.customer_id
            and refunds.product_id = sales.product_id
            and refunds.refunded_at >= sales.ordered_at
    where refunds.refunded_order_id is null

),

found as (

    select
        refund_amount,
        refunded_order_id as order_id
    from refunds
    where refunded_order_id is not null
    union all
    select
        refund_amount,
        order_id
    from candidates
    where place = 1

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
