{#
One row per month, channel and kind of buyer, with how much they order at a time.

All orders of a person's first day are a new customer's: who gets two invoices has not returned.
#}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where order_amount > 0

),

numbered as (

    select
        cast(date_trunc('month', ordered_at) as date) as month,
        channel,
        customer_id,
        order_amount,
        items,
        case
            when customer_id is null then 'guest'
            when
                cast(ordered_at as date)
                = min(cast(ordered_at as date)) over (partition by customer_id)
                then 'new'
            else 'returning'
        end as buyer_kind
    from orders

),

final as (

    select
        month,
        channel,
        buyer_kind,
        count(*) as orders,
        count(distinct customer_id) as customers,
        cast(sum(order_amount) as decimal(18, 3)) as revenue,
        cast(cast(sum(order_amount) as double) / count(*) as decimal(18, 3)) as average_order_value,
        cast({{ median_amount('order_amount') }} as decimal(18, 3)) as median_order_value,
        cast(sum(items) / count(*) as decimal(18, 3)) as items_per_order
    from numbered
    group by month, channel, buyer_kind

)

select * from final
