{# One row per cancelled or returned line: what was given back to the customer. #}

with

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where line_class = 'cancellation'

),

final as (

    select
        order_line_id as refund_id,
        order_id as cancellation_id,
        refunded_order_id,
        customer_id,
        channel,
        product_id,
        -quantity as quantity,
        cast(-line_amount as decimal(18, 3)) as refund_amount,
        ordered_at as refunded_at,
        is_counted
    from order_lines

)

select * from final
