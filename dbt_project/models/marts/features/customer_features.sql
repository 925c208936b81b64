{# One row per customer as of the day the evidence reaches: what models and segments work with. #}

with

customers as (

    select distinct customer_id from {{ ref('identity_map') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

orders as (

    select * from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0

),

refunds as (

    select * from {{ ref('fct_refunds') }}
    where customer_id is not null and is_counted

),

sessions as (

    select * from {{ ref('fct_sessions') }}
    where customer_id is not null

),

bought as (

    select
        orders.customer_id,
        count(*) as orders,
        sum(orders.order_amount) as gross_amount,
        sum(orders.items) as items,
        min(cast(orders.ordered_at as date)) as first_order_on,
        max(cast(orders.ordered_at as date)) as last_order_on,
        count(case when orders.channel = 'store' then 1 end) as store_orders,
        count(
            case
                when cast(orders.ordered_at as date) > as_of.as_of - interval '90' day then 1
            end
        ) as orders_90_days
    from orders
    cross join as_of
    group by orders.customer_id

),

returned as (

    select
        customer_id,
        sum(refund_amount) as refund_amount
    from refunds
    group by customer_id

),

visited as (

    select
        customer_id,
        count(*) as sessions,
        sum(product_views) as product_views,
        max(cast(started_at as date)) as last_session_on
    from sessions
    group by customer_id

),

final as (

    select
        customers.customer_id,
        as_of.as_of,
        coalesce(bought.orders, 0) as orders,
        cast(coalesce(bought.gross_amount, 0) as decimal(18, 3)) as gross_amount,
        cast(coalesce(returned.refund_amount, 0) as decimal(18, 3)) as refund_amount,
        cast(
            coalesce(bought.gross_amount, 0) - coalesce(returned.refund_amount, 0)
            as decimal(18, 3)
        ) as net_amount,
        cast(cast(bought.gross_amount as double) / bought.orders as decimal(18, 3))
            as average_order_amount,
        cast(coalesce(bought.items, 0) as bigint) as items,
        bought.first_order_on,
        bought.last_order_on,
        {{ days_between('bought.last_order_on', 'as_of.as_of') }}
            as days_since_last_order,
        {{ days_between('bought.first_order_on', 'as_of.as_of') }}
            as days_since_first_order,
        coalesce(bought.orders_90_days, 0) as orders_90_days,
        coalesce(bought.store_orders, 0) as store_orders,
        coalesce(visited.sessions, 0) as sessions,
        cast(coalesce(visited.product_views, 0) as bigint) as product_views,
        visited.last_session_on
    from customers
    cross join as_of
    left join bought on customers.customer_id = bought.customer_id
    left join returned on customers.customer_id = returned.customer_id
    left join visited on customers.customer_id = visited.customer_id

)

select * from final
