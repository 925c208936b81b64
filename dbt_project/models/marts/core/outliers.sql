{# One row per order line, order, event or ad's spend out of the ordinary, with the reason. #}

with

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where outlier_reason is not null

),

orders as (

    select * from {{ ref('fct_orders') }}

),

line_outliers as (

    select * from {{ ref('int_core__quantity_outliers') }}

),

order_outliers as (

    select * from {{ ref('int_core__order_outliers') }}

),

events as (

    select * from {{ ref('stg_web__events') }}

),

ad_days as (

    select * from {{ ref('fct_ad_spend') }}
    where spend is null

),

final as (

    select
        'order line' as kind,
        order_lines.order_line_id as row_id,
        order_lines.customer_id,
        order_lines.ordered_at as occurred_at,
        order_lines.outlier_reason as reason,
        line_outliers.robust_z_score,
        order_lines.line_class in ('sale', 'cancellation') and not order_lines.is_counted
            as is_left_out
    from order_lines
    left join line_outliers on order_lines.order_line_id = line_outliers.order_line_id
    union all
    select
        'order' as kind,
        orders.order_id as row_id,
        orders.customer_id,
        orders.ordered_at as occurred_at,
        'amount far from the usual of ' || order_outliers.segment as reason,
        order_outliers.robust_z_score,
        false as is_left_out
    from order_outliers
    inner join orders on order_outliers.order_id = orders.order_id
    union all
    select
        'event' as kind,
        message_id as row_id,
        null as customer_id,
        received_at as occurred_at,
        {{ impossible_time('received_at', 'loaded_at') }} as reason,
        null as robust_z_score,
        false as is_left_out
    from events
    where {{ impossible_time('received_at', 'loaded_at') }} is not null
    union all
    select
        'ad spend' as kind,
        insight_id as row_id,
        null as customer_id,
        cast(reported_on as timestamp) as occurred_at,
        'no exchange rate for its currency' as reason,
        null as robust_z_score,
        true as is_left_out
    from ad_days

)

select * from final
