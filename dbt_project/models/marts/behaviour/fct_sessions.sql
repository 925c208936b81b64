{# One row per visit of somebody who is neither a bot nor one of us. #}

with

events as (

    select
        *,
        row_number() over (
            partition by session_id order by occurred_at asc nulls last, message_id asc nulls last
        ) as position,
        row_number() over (
            partition by session_id order by occurred_at desc, message_id desc
        ) as position_from_end,
        event_type in ('page', 'screen') or is_heartbeat as is_on_page
    from {{ ref('int_behaviour__events') }}
    where not is_bot and not is_internal

),

pages as (

    select
        session_id,
        page_path,
        row_number() over (
            partition by session_id order by occurred_at asc nulls last, message_id asc nulls last
        ) as position,
        row_number() over (
            partition by session_id order by occurred_at desc, message_id desc
        ) as position_from_end
    from events
    where is_on_page

),

attention as (

    select
        session_id,
        sum(engaged_seconds) as engaged_seconds
    from {{ ref('int_behaviour__attention') }}
    group by session_id

),

ways_in as (

    select * from {{ ref('int_behaviour__ways_in') }}

),

{# Who comes to be known in a visit was it from the start: its last event says who. #}
visits as (

    select
        session_id,
        max(case when position_from_end = 1 then customer_id end) as customer_id,
        max(case when position = 1 then anonymous_id end) as anonymous_id,
        max(case when position = 1 then device end) as device,
        {# The first heartbeat says that somebody has been there for a while. #}
        min(
            case
                when is_heartbeat
                    then
                        occurred_at
                        - interval '{{ var("first_heartbeat_seconds") }}' second
                else occurred_at
            end
        ) as started_at,
        max(occurred_at) as ended_at,
        count(*) as events,
        count(distinct case when is_on_page then page_view_id end) as page_views,
        count(case when event_name = 'Product Viewed' then 1 end) as product_views,
        count(case when event_name = 'Product Added' then 1 end) as products_added,
        count(case when event_name = 'Order Completed' then 1 end) as orders
    from events
    group by session_id

),

final as (

    select
        visits.session_id,
        visits.customer_id,
        visits.anonymous_id,
        visits.started_at,
        visits.ended_at,
        visits.events,
        visits.page_views,
        cast(coalesce(attention.engaged_seconds, 0) as bigint) as engaged_seconds,
        visits.product_views,
        visits.products_added,
        visits.orders,
        visits.device,
        coalesce(landing_pages.page_path, entries.page_path) as entry_page_path,
        coalesce(exit_pages.page_path, entries.page_path) as exit_page_path,
        ways_in.channel as marketing_channel,
        entries.campaign_source,
        entries.campaign_medium,
        entries.campaign_name,
        entries.campaign_id,
        entries.click_id,
        entries.referrer_host
    from visits
    inner join events as entries
        on visits.session_id = entries.session_id and entries.position = 1
    inner join ways_in
        on
            lower(coalesce(entries.campaign_medium, '')) = ways_in.medium
            and lower(coalesce(entries.campaign_source, '')) = ways_in.source
            and coalesce(entries.referrer_host, '') = ways_in.referrer_host
            and coalesce(entries.click_id_name, '') = ways_in.click_id_name
    left join pages as landing_pages
        on visits.session_id = landing_pages.session_id and landing_pages.position = 1
    left join pages as exit_pages
        on visits.session_id = exit_pages.session_id and exit_pages.position_from_end = 1
    left join attention on visits.session_id = attention.session_id

)

select * from final
