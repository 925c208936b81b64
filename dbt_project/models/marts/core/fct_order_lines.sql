{# One row per line of an order or receipt, of every channel, with what kind of line it is. #}

with

lines as (

    select * from {{ ref('int_core__sold_lines') }}

),

outliers as (

    select * from {{ ref('int_core__quantity_outliers') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

test_customers as (

    select * from {{ ref('int_core__test_customers') }}

),

judged as (

    select
        lines.*,
        identity_map.customer_id,
        coalesce(
            lines.impossible_time,
            case when lines.line_amount is null then 'no exchange rate for its currency' end,
            case when test_customers.customer_id is not null then 'test account' end,
            case
                when outliers.order_line_id is not null then 'quantity far above the usual'
            end
        ) as outlier_reason
    from lines
    left join outliers on lines.order_line_id = outliers.order_line_id
    left join identity_map on lines.record_key = identity_map.record_key
    left join test_customers on identity_map.customer_id = test_customers.customer_id

),

final as (

    select
        order_line_id,
        order_id,
        customer_id,
        channel,
        product_id,
        quantity,
        unit_price,
        line_amount,
        currency,
        ordered_at,
        line_class,
        refunded_order_id,
        outlier_reason,
        line_class in ('sale', 'cancellation') and line_amount is not null
        {%- if var('exclude_outliers') %} and outlier_reason is null{% endif %} as is_counted
    from judged

)

select * from final
