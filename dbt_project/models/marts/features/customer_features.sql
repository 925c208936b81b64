{# One row per customer as of the day the evidence reaches: what models and segments work with. #}

with

customers as (

    select distinct customer_id from {{ ref('identity_map') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

buyer_days as (

    select * from {{ ref('buyer_days') }}

),

sessions as (

    select * from {{ ref('fct_sessions') }}
    where customer_id is not null

),

bought as (

    select
        buyer_days.customer_id,
        sum(buyer_days.orders) as orders,
        sum(buyer_days.store_orders) as store_orders,
        sum(buyer_days.items) as items,
        sum(buyer_days.gross_amount) as gross_amount,
        sum(buyer_days.refund_amount) as refund_amount,
        min(case when buyer_days.orders > 0 then buyer_days.active_on end) as first_order_on,
        max(case when buyer_days.orders > 0 then buyer_days.active_on end) as last_order_on,
        sum(
            case
                when buyer_days.active_on > as_of.as_of - interval '90' day then buyer_days.orders
            end
        ) as orders_90_days
    from buyer_days
    cross join as_of
    group by buyer_days.customer_id

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
        cast(coalesce(bought.orders, 0) as bigint) as orders,
        cast(coalesce(bought.gross_amount, 0) as decimal(18, 3)) as gross_amount,
        cast(coalesce(bought.refund_amount, 0) as decimal(18, 3)) as refund_amount,
        cast(
            coalesce(bought.gross_amount, 0) - coalesce(bought.refund_amount, 0)
            as decimal(18, 3)
        ) as net_amount,
        cast(
            cast(bought.gross_amount as double) / nullif(bought.orders, 0) as decimal(18, 3)
        ) as average_order_amount,
        cast(coalesce(bought.items, 0) as bigint) as items,
        bought.first_order_on,
        bought.last_order_on,
        {{ days_between('bought.last_order_on', 'as_of.as_of') }}
            as days_since_last_order,
        {{ days_between('bought.first_order_on', 'as_of.as_of') }}
            as days_since_first_order,
        cast(coalesce(bought.orders_90_days, 0) as bigint) as orders_90_days,
        cast(coalesce(bought.store_orders, 0) as bigint) as store_orders,
        coalesce(visited.sessions, 0) as sessions,
        cast(coalesce(visited.product_views, 0) as bigint) as product_views,
        visited.last_session_on
    from customers
    cross join as_of
    left join bought on customers.customer_id = bought.customer_id
    left join visited on customers.customer_id = visited.customer_id

)

select * from final
