{#
One row per order or refund of a product that a customer gave back without naming the order, with the
units it laid on the pile of what they hold, or took from its top.

Heights are counted from where the evidence begins; below 0 is what was bought before.
#}

with

refunds as (

    select * from {{ ref('fct_refunds') }}
    where
        is_counted and refunded_order_id is null and customer_id is not null and quantity > 0

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and is_counted and customer_id is not null

),

given_back as (

    select
        customer_id,
        product_id
    from refunds
    group by customer_id, product_id

),

sales as (

    select
        order_lines.customer_id,
        order_lines.product_id,
        order_lines.order_id,
        min(order_lines.ordered_at) as moved_at,
        sum(order_lines.quantity) as units
    from order_lines
    inner join given_back
        on
            order_lines.customer_id = given_back.customer_id
            and order_lines.product_id = given_back.product_id
    group by order_lines.customer_id, order_lines.product_id, order_lines.order_id

),

moves as (

    select
        customer_id,
        product_id,
        moved_at,
        order_id,
        cast(null as string) as refund_id,
        cast(null as decimal(18, 3)) as refund_amount,
        units
    from sales
    union all
    select
        customer_id,
        product_id,
        refunded_at as moved_at,
        null as order_id,
        refund_id,
        refund_amount,
        -quantity as units
    from refunds

),

piles as (

    select
        *,
        sum(units) over (
            partition by customer_id, product_id
            order by
                moved_at asc nulls last, order_id asc nulls last, refund_id asc nulls last
        ) as height
    from moves

),

final as (

    select
        customer_id,
        product_id,
        moved_at,
        order_id,
        refund_id,
        refund_amount,
        cast(abs(units) as bigint) as units,
        cast(least(height, height - units) as bigint) as bottom,
        cast(greatest(height, height - units) as bigint) as top
    from piles

)

select * from final
