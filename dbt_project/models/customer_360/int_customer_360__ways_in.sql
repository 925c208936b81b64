{# One row per buyer: the channel that led up to their first order, by its last touch. #}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0

),

attribution as (

    select * from {{ ref('attribution') }}
    where attribution_model = 'last_touch'

),

numbered as (

    select
        customer_id,
        order_id,
        row_number() over (
            partition by customer_id order by ordered_at asc nulls last, order_id asc nulls last
        ) as order_number
    from orders

),

final as (

    select
        numbered.customer_id,
        attribution.marketing_channel as acquisition_channel
    from numbered
    inner join attribution on numbered.order_id = attribution.order_id
    where numbered.order_number = 1

)

select * from final
