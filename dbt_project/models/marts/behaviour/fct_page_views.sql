{# One row per page or app screen that was looked at, with how long. #}

with

events as (

    select * from {{ ref('int_behaviour__events') }}
    where not is_bot and not is_internal

),

{# A page that reports itself twice was looked at once. #}
views as (

    select
        *,
        row_number() over (
            partition by page_view_id order by occurred_at asc nulls last, message_id asc nulls last
        ) as report
    from events
    where event_type in ('page', 'screen')

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
        row_number() over (
            partition by views.session_id
            order by views.occurred_at asc nulls last, views.message_id asc nulls last
        ) as page_number,
        count(*) over (partition by views.session_id) as pages_in_session,
        views.page_path,
        views.device
    from views
    left join heartbeats
        on
            views.page_view_id = heartbeats.page_view_id
            and views.session_id = heartbeats.session_id
    where views.report = 1

)

select * from final
