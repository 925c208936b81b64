{# One row per web or app event, with the customer who did it and what it was done on. #}
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('stg_web__events') }}

),

device_periods as (

    select * from {{ ref('device_periods') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

test_customers as (

    select * from {{ ref('int_core__test_customers') }}

),

visitors as (

    select
        device_periods.anonymous_id,
        device_periods.after_at,
        device_periods.until_at,
        identity_map.customer_id
    from device_periods
    inner join identity_map on device_periods.record_key = identity_map.record_key

),

users as (

    select
        substr(record_key, length('web:user:') + 1) as user_id,
        customer_id
    from identity_map
    where record_key like 'web:user:%'

),

{# Who is logged in is who did it; before the login the device tells. #}
attributed as (

    select
        events.*,
        coalesce(users.customer_id, visitors.customer_id) as customer_id
    from events
    left join visitors on {{ in_device_period('events', 'visitors') }}
    left join users on events.user_id = users.user_id

),

final as (

    select
        events.message_id,
        events.customer_id,
        coalesce(events.customer_id, events.anonymous_id, events.user_id) as visitor_id,
        events.anonymous_id,
        coalesce(events.anonymous_id, events.user_id, events.message_id) as device_key,
        {# A client's session id is unique by itself when it is long, else on its device. #}
        case
            when length(events.client_session_id) >= 32 then events.client_session_id
            when events.client_session_id is not null
                then {{ surrogate_key(['events.anonymous_id', 'events.client_session_id']) }}
        end as client_session_id,
        events.event_type,
        events.event_name,
        coalesce(events.event_name = '{{ var("heartbeat_event") }}', false) as is_heartbeat,
        events.page_view_id,
        events.occurred_at,
        events.received_at,
        events.page_path,
        events.referrer_host,
        events.campaign_source,
        events.campaign_medium,
        events.campaign_name,
        events.campaign_id,
        events.click_id_name,
        events.click_id,
        nullif(
            concat_ws(
                '|', events.campaign_source, events.campaign_medium, events.campaign_name,
                events.campaign_id, events.click_id
            ), ''
        ) as landing,
        case
            when events.app_name is not null then 'app'
            when events.device_type in ('mobile', 'tablet', 'desktop') then events.device_type
            when lower(events.user_agent) like '%ipad%' then 'tablet'
            when lower(events.user_agent) like '%tablet%' then 'tablet'
            when lower(events.user_agent) like '%mobi%' then 'mobile'
            when events.user_agent is not null then 'desktop'
        end as device,
        events.stock_code,
        events.order_id,
        events.is_bot,
        {# Wherever an employee is, it is no visit of a customer. #}
        events.is_internal or test_customers.customer_id is not null as is_internal,
        events.content_number
    from attributed as events
    left join test_customers on events.customer_id = test_customers.customer_id

)

select * from final
