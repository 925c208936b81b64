{# One row per attribution model, order, channel and campaign, with what is left after refunds. #}

with

attribution as (

    select * from {{ ref('attribution') }}

),

orders as (

    select
        order_id,
        order_amount,
        row_number() over (
            partition by customer_id order by ordered_at asc nulls last, order_id asc nulls last
        ) as order_number
    from {{ ref('fct_orders') }}
    where order_amount > 0

),

refunds as (

    select * from {{ ref('int_marketing__order_refunds') }}

),

final as (

    select
        attribution.attribution_model,
        attribution.order_id,
        attribution.marketing_channel,
        attribution.campaign_key,
        attribution.customer_id,
        attribution.ordered_at,
        attribution.customer_id is not null and orders.order_number = 1 as is_first_order,
        cast(
            attribution.credited_revenue
            * (1 - cast(coalesce(refunds.refund_amount, 0) as double) / orders.order_amount)
            as decimal(18, 3)
        ) as net_revenue
    from attribution
    inner join orders on attribution.order_id = orders.order_id
    left join refunds on attribution.order_id = refunds.order_id

)

select * from final
