{# One row per order line, order, event or ad's spend out of the ordinary, with the reason. #}

with

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where outlier_reason is not null

),

orders as (

    select * from {{ ref('fct_orders') }}

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
        order_line_id as row_id,
        customer_id,
        ordered_at as occurred_at,
        outlier_reason as reason,
        cast(null as decimal(18, 1)) as robust_z_score,
        line_class in ('sale', 'cancellation') and not is_counted as is_left_out
    from order_lines
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
