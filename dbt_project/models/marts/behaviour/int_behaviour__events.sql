{#
One row per web or app event, with the visit it belongs to.

A client that numbers its own sessions is believed. Otherwise a visit is what one person does on one
device (without one: under one user id) until a pause longer than the session timeout, or until
another campaign brings them again.
#}
{{ config(
    materialized='by_key',
    key='device_key',
    views=['int_behaviour__attributed_events'],
    inputs={
        'int_behaviour__attributed_events': {
            'key': 'device_key', 'content': 'content_number, customer_id, is_internal'
        },
        'stg_web__events': {
            'key': 'coalesce(anonymous_id, user_id, message_id)', 'is_watched': false
        }
    }
) }}
-- depends_on: {{ ref('stg_web__events') }}

with

events as (

    select * from {{ ref('int_behaviour__attributed_events') }}

),

{# Only what tells the visits apart goes through the windows: whole rows would be sorted twice. #}
gaps as (

    select
        message_id,
        visitor_id,
        device_key,
        occurred_at,
        landing,
        lag(occurred_at) over (
            partition by visitor_id, device_key
            order by occurred_at asc nulls last, message_id asc nulls last
        ) as previous_at,
        {{ last_known('landing') }} over (
            partition by visitor_id, device_key
            order by occurred_at asc nulls last, message_id asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as previous_landing
    from events
    where client_session_id is null

),

{# A visit is named after its first event, so that the late events of one visit rename no other. #}
beginnings as (

    select
        message_id,
        visitor_id,
        device_key,
        occurred_at,
        case
            when previous_at is null then message_id
            when
                occurred_at
                > previous_at + interval '{{ var("session_timeout_minutes") }}' minute
                then message_id
            when coalesce(landing <> previous_landing, landing is not null) then message_id
        end as beginning_message_id
    from gaps

),

visits as (

    select
        message_id,
        {{ last_known('beginning_message_id') }} over (
            partition by visitor_id, device_key
            order by occurred_at asc nulls last, message_id asc nulls last
            rows between unbounded preceding and current row
        ) as first_message_id
    from beginnings

),

final as (

    select
        events.message_id,
        coalesce(events.client_session_id, visits.first_message_id) as session_id,
        events.customer_id,
        events.anonymous_id,
        events.device_key,
        events.event_type,
        events.event_name,
        events.is_heartbeat,
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
        events.device,
        events.stock_code,
        events.order_id,
        events.is_bot,
        events.is_internal,
        events.content_number
    from events
    left join visits on events.message_id = visits.message_id

)

select * from final
