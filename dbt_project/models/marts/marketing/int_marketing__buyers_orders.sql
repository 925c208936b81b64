{# One row per order of a known person, with which of their orders it is and how they came first. #}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0

),

refunds as (

    select * from {{ ref('int_marketing__order_refunds') }}

),

last_touches as (

    select
        order_id,
        marketing_channel
    from {{ ref('attribution') }}
    where attribution_model = 'last_touch'

),

numbered as (

    select
        orders.*,
        cast(date_trunc('month', orders.ordered_at) as date) as month,
        cast(
            row_number() over (
                partition by orders.customer_id
                order by orders.ordered_at asc nulls last, orders.order_id asc nulls last
            ) as bigint
        ) as order_number
    from orders

),

firsts as (

    select
        numbered.customer_id,
        numbered.month as cohort_month,
        numbered.channel as first_channel,
        last_touches.marketing_channel as acquisition_channel,
        ntile(3) over (
            order by numbered.order_amount asc nulls last, numbered.order_id asc nulls last
        ) as first_order_third
    from numbered
    inner join last_touches on numbered.order_id = last_touches.order_id
    where numbered.order_number = 1

),

final as (

    select
        numbered.order_id,
        numbered.customer_id,
        numbered.channel,
        numbered.ordered_at,
        numbered.month,
        numbered.order_amount,
        numbered.order_amount - coalesce(refunds.refund_amount, 0) as net_amount,
        numbered.order_number,
        firsts.cohort_month,
        firsts.first_channel,
        firsts.acquisition_channel,
        case firsts.first_order_third
            when 1 then 'small first order'
            when 2 then 'middling first order'
            else 'large first order'
        end as first_order_size
    from numbered
    inner join firsts on numbered.customer_id = firsts.customer_id
    left join refunds on numbered.order_id = refunds.order_id

)

select * from final
