{# One row per page or app screen that was looked at, with how long. #}
{{ config(
    materialized='by_key',
    key='session_id',
    views=['int_behaviour__attention'],
    inputs={
        'int_behaviour__events': {'key': 'session_id', 'numbers_of': 'fct_sessions'},
        'int_behaviour__repeated_reports': {'key': 'session_id', 'content': 'message_id'}
    }
) }}
-- depends_on: {{ ref('fct_sessions') }}

with

events as (

    select * from {{ ref('int_behaviour__events') }}
    where not is_bot and not is_internal

),

repeated_reports as (

    select * from {{ ref('int_behaviour__repeated_reports') }}

),

{# A page that reports itself twice was looked at once. #}
views as (

    select events.*
    from events
    left join repeated_reports on events.message_id = repeated_reports.message_id
    where events.event_type in ('page', 'screen') and repeated_reports.message_id is null

),

heartbeats as (

    select * from {{ ref('int_behaviour__attention') }}

),

final as (

    select
        views.page_view_id,
        views.session_id,
        views.customer_id,
        views.anonymous_id,
        views.occurred_at as viewed_at,
        greatest(views.occurred_at, coalesce(heartbeats.last_heartbeat_at, views.occurred_at))
            as ended_at,
        coalesce(heartbeats.engaged_seconds, 0) as engaged_seconds,
        cast(
            row_number() over (
                partition by views.session_id
                order by views.occurred_at asc nulls last, views.message_id asc nulls last
            ) as bigint
        ) as page_number,
        count(*) over (partition by views.session_id) as pages_in_session,
        views.page_path,
        views.device
    from views
    left join heartbeats
        on
            views.page_view_id = heartbeats.page_view_id
            and views.session_id = heartbeats.session_id

)

select * from final
