{#
One row per month, channel and kind of buyer, with how much they order at a time.

All orders of a person's first day are a new customer's: who gets two invoices has not returned.
#}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where order_amount > 0

),

as_of as (

    select * from {{ ref('as_of') }}

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
        numbered.month,
        numbered.channel,
        numbered.buyer_kind,
        count(*) as orders,
        count(distinct numbered.customer_id) as customers,
        cast(sum(numbered.order_amount) as decimal(18, 3)) as revenue,
        cast(cast(sum(numbered.order_amount) as double) / count(*) as decimal(18, 3))
            as average_order_value,
        cast({{ median_amount('numbered.order_amount') }} as decimal(18, 3)) as median_order_value,
        cast(sum(numbered.items) / count(*) as decimal(18, 3)) as items_per_order,
        numbered.month < cast(date_trunc('month', max(as_of.as_of)) as date) as is_whole_month
    from numbered
    cross join as_of
    group by numbered.month, numbered.channel, numbered.buyer_kind

)

select * from final
