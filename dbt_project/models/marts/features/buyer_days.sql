{# One row per customer and day on which they ordered something or were given money back. #}

with

orders as (

    select
        customer_id,
        cast(ordered_at as date) as active_on,
        1 as orders,
        case when channel = 'store' then 1 else 0 end as store_orders,
        items,
        order_amount as gross_amount,
        0 as refund_amount
    from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0

),

refunds as (

    select
        customer_id,
        cast(refunded_at as date) as active_on,
        0 as orders,
        0 as store_orders,
        0 as items,
        0 as gross_amount,
        refund_amount
    from {{ ref('fct_refunds') }}
    where customer_id is not null and is_counted

),

dated as (

    select * from orders
    union all
    select * from refunds

),

final as (

    select
        customer_id,
        active_on,
        cast(sum(orders) as bigint) as orders,
        cast(sum(store_orders) as bigint) as store_orders,
        cast(sum(items) as bigint) as items,
        cast(sum(gross_amount) as decimal(18, 3)) as gross_amount,
        cast(sum(refund_amount) as decimal(18, 3)) as refund_amount
    from dated
    group by customer_id, active_on

)

select * from final
