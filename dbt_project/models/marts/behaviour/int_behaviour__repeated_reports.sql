{# One row per report of a page that had been reported before, perhaps in another visit. #}
{%- set is_report = "event_type in ('page', 'screen') and not is_bot and not is_internal" %}

with

{# Read twice, not kept in between: of most reports only the page is needed. #}
repeated as (

    select page_view_id
    from {{ ref('int_behaviour__events') }}
    where {{ is_report }}
    group by page_view_id
    having count(*) > 1

),

numbered as (

    select
        message_id,
        session_id,
        row_number() over (
            partition by page_view_id
            order by occurred_at asc nulls last, message_id asc nulls last
        ) as report
    from {{ ref('int_behaviour__events') }}
    where {{ is_report }} and page_view_id in (select repeated.page_view_id from repeated)

),

final as (

    select
        message_id,
        session_id
    from numbered
    where report > 1

)

select * from final
