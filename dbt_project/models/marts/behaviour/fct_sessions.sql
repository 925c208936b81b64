{# One row per visit: the events of one visitor with no longer pause than the session timeout. #}

with

events as (

    select
        *,
        row_number() over (
            partition by session_id order by occurred_at asc, message_id asc
        ) as position
    from {{ ref('int_behaviour__events') }}
    where not is_bot and not is_internal

),

entries as (

    select
        session_id,
        page_path,
        referrer,
        campaign_source,
        campaign_medium,
        campaign_name
    from events
    where position = 1

),

visits as (

    select
        session_id,
        max(customer_id) as customer_id,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as events,
        count(case when event_type = 'page' then 1 end) as page_views,
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
        visits.started_at,
        visits.ended_at,
        visits.events,
        visits.page_views,
        visits.product_views,
        visits.products_added,
        visits.orders,
        entries.page_path as entry_page_path,
        case
            when entries.campaign_medium is not null then entries.campaign_medium
            when coalesce(entries.referrer, '') = '' then 'direct'
            else 'referral'
        end as marketing_channel,
        entries.campaign_source,
        entries.campaign_name
    from visits
    inner join entries on visits.session_id = entries.session_id

)

select * from final
