{# One row per web or app event; those of bots and of our own tests are flagged. #}
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_behaviour__events') }}

),

final as (

    select
        message_id as event_id,
        session_id,
        customer_id,
        anonymous_id,
        event_type,
        event_name,
        occurred_at,
        received_at,
        page_view_id,
        page_path,
        device,
        stock_code as product_id,
        'shop:' || order_id as order_id,
        is_heartbeat,
        is_bot,
        is_internal
    from events

)

select * from final
