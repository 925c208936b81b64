{#
One row per web or app event, with the visit it belongs to.

A client that numbers its own sessions is believed. Otherwise a visit is what one person does on one
device until a pause longer than the session timeout, or until another campaign brings them again.
#}

with

events as (

    select * from {{ ref('int_behaviour__attributed_events') }}

),

landings as (

    select
        message_id,
        lag(landing) over (
            partition by visitor_id, anonymous_id
            order by occurred_at asc nulls last, message_id asc nulls last
        ) as previous_landing
    from events
    where landing is not null and client_session_id is null

),

gaps as (

    select
        *,
        lag(occurred_at) over (
            partition by visitor_id, anonymous_id, client_session_id
            order by occurred_at asc nulls last, message_id asc nulls last
        ) as previous_at
    from events

),

beginnings as (

    select
        gaps.*,
        case
            when gaps.previous_at is null then 1
            when
                gaps.occurred_at
                > gaps.previous_at + interval '{{ var("session_timeout_minutes") }}' minute
                then 1
            when coalesce(gaps.landing <> landings.previous_landing, gaps.landing is not null)
                then 1
            else 0
        end as is_beginning
    from gaps
    left join landings on gaps.message_id = landings.message_id

),

numbered as (

    select
        *,
        sum(is_beginning) over (
            partition by visitor_id, anonymous_id, client_session_id
            order by occurred_at asc nulls last, message_id asc nulls last
            rows between unbounded preceding and current row
        ) as visit_number
    from beginnings

),

{# A visit is named after its first event, so that the late events of one visit rename no other. #}
named as (

    select
        *,
        first_value(message_id) over (
            partition by visitor_id, anonymous_id, client_session_id, visit_number
            order by occurred_at asc nulls last, message_id asc nulls last
            rows between unbounded preceding and current row
        ) as first_message_id
    from numbered

),

final as (

    select
        message_id,
        coalesce(client_session_id, first_message_id) as session_id,
        customer_id,
        anonymous_id,
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
        is_internal
    from named

)

select * from final
