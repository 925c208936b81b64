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

final as (

    select
        lines.order_line_id,
        lines.order_id,
        identity_map.customer_id,
        lines.channel,
        lines.product_id,
        lines.quantity,
        lines.unit_price,
        lines.line_amount,
        lines.currency,
        lines.ordered_at,
        lines.line_class,
        case
            when outliers.order_line_id is not null then 'quantity far above the usual'
        end as outlier_reason,
        lines.line_class in ('sale', 'cancellation')
        {%- if var('exclude_outliers') %} and outliers.order_line_id is null{% endif %}
            as is_counted
    from lines
    left join outliers on lines.order_line_id = outliers.order_line_id
    left join identity_map on lines.record_key = identity_map.record_key

)

select * from final
