{#
One row per page and visit with heartbeats: how long somebody really looked at it.

Heartbeats that fall into one interval count once, so that a page open in two tabs is not twice as
interesting.
#}
{{ config(materialized='view') }}

with

heartbeats as (

    select
        page_view_id,
        session_id,
        occurred_at,
        {{ epoch_seconds('occurred_at') }} as epoch_second
    from {{ ref('int_behaviour__events') }}
    where is_heartbeat and not is_bot and not is_internal

),

final as (

    select
        page_view_id,
        session_id,
        max(occurred_at) as last_heartbeat_at,
        {{ var('first_heartbeat_seconds') }} + {{ var('heartbeat_seconds') }} * (
            count(
                distinct epoch_second - epoch_second % {{ var('heartbeat_seconds') }}
            ) - 1
        ) as engaged_seconds
    from heartbeats
    group by page_view_id, session_id

)

select * from final
