{# One row per report of a page that had been reported before, perhaps in another visit. #}

with

reports as (

    select
        page_view_id,
        message_id,
        session_id,
        occurred_at
    from {{ ref('int_behaviour__events') }}
    where event_type in ('page', 'screen') and not is_bot and not is_internal

),

repeated as (

    select page_view_id
    from reports
    group by page_view_id
    having count(*) > 1

),

numbered as (

    select
        reports.message_id,
        reports.session_id,
        row_number() over (
            partition by reports.page_view_id
            order by reports.occurred_at asc nulls last, reports.message_id asc nulls last
        ) as report
    from reports
    inner join repeated on reports.page_view_id = repeated.page_view_id

),

final as (

    select
        message_id,
        session_id
    from numbered
    where report > 1

)

select * from final
