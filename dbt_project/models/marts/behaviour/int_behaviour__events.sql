{#
One row per web or app event, with the visit it belongs to.

A client that numbers its own sessions is believed. Otherwise a visit is what one person does on one
device (without one: under one user id) until a pause longer than the session timeout, or until another campaign brings them again.
#}
{{ config(
    materialized='by_key',
    key='device_key',
    views=['int_behaviour__attributed_events'],
    inputs={
        'int_behaviour__attributed_events': {
            'key': 'device_key', 'content': 'message_id, content_number, customer_id'
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

gaps as (

    select
        *,
        lag(occurred_at) over (
            partition by visitor_id, device_key, client_session_id
            order by occurred_at asc nulls last, message_id asc nulls last
        ) as previous_at,
        {{ last_known('case when client_session_id is null then landing end') }} over (
            partition by visitor_id, device_key
            order by occurred_at asc nulls last, message_id asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as previous_landing
    from events

),

{# A visit is named after its first event, so that the late events of one visit rename no other. #}
beginnings as (

    select
        *,
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

named as (

    select
        *,
        {{ last_known('beginning_message_id') }} over (
            partition by visitor_id, device_key, client_session_id
            order by occurred_at asc nulls last, message_id asc nulls last
            rows between unbounded preceding and current row
        ) as first_message_id
    from beginnings

),

final as (

    select
        message_id,
        coalesce(client_session_id, first_message_id) as session_id,
        customer_id,
        anonymous_id,
        device_key,
        event_type,
        event_name,
        is_heartbeat,
        page_view_id,
        occurred_at,
        received_at,
        page_path,
        referrer_host,
        campaign_source,
        campaign_medium,
        campaign_name,
        campaign_id,
        click_id_name,
        click_id,
        device,
        stock_code,
        order_id,
        is_bot,
        is_internal,
        content_number
    from named

)

select * from final
