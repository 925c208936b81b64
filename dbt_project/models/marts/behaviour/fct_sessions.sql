{# One row per visit of somebody who is neither a bot nor one of us. #}
{{ config(
    materialized='by_key',
    key='session_id',
    views=['int_behaviour__attention'],
    inputs={
        'int_behaviour__events': {
            'key': 'session_id', 'content': 'message_id, content_number, customer_id'
        }
    },
    fixed={'channel_rules': none}
) }}
-- depends_on: {{ ref('channel_rules') }}

with

events as (

    select
        *,
        event_type in ('page', 'screen') or is_heartbeat as is_on_page,
        row_number() over (
            partition by session_id order by occurred_at asc nulls last, message_id asc nulls last
        ) as position
    from {{ ref('int_behaviour__events') }}
    where not is_bot and not is_internal

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

places as (

    select
        *,
        max(position) over (partition by session_id) as last_position,
        coalesce(
            min(case when is_on_page then position end) over (partition by session_id), 1
        ) as landing_position,
        coalesce(
            max(case when is_on_page then position end) over (partition by session_id), 1
        ) as exit_position
    from events

),

{# Who comes to be known in a visit was it from the start: its last event says who. #}
visits as (

    select
        session_id,
        max(case when position = last_position then customer_id end) as customer_id,
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
        count(distinct case when is_on_page then page_view_id end) as page_views,
        count(case when event_name = 'Product Viewed' then 1 end) as product_views,
        count(case when event_name = 'Product Added' then 1 end) as products_added,
        count(case when event_name = 'Order Completed' then 1 end) as orders,
        max(case when position = landing_position then page_path end) as landing_page_path,
        max(case when position = exit_position then page_path end) as last_page_path,
        {% for column in [
            'anonymous_id', 'device', 'page_path', 'campaign_source', 'campaign_medium',
            'campaign_name', 'campaign_id', 'click_id', 'click_id_name', 'referrer_host'
        ] %}
        max(case when position = 1 then {{ column }} end) as {{ column }},
        {% endfor %}
        count(*) as events
    from places
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
        coalesce(visits.landing_page_path, visits.page_path) as entry_page_path,
        coalesce(visits.last_page_path, visits.page_path) as exit_page_path,
        ways_in.channel as marketing_channel,
        visits.campaign_source,
        visits.campaign_medium,
        visits.campaign_name,
        visits.campaign_id,
        visits.click_id,
        visits.referrer_host
    from visits
    inner join ways_in
        on
            lower(coalesce(visits.campaign_medium, '')) = ways_in.medium
            and lower(coalesce(visits.campaign_source, '')) = ways_in.source
            and coalesce(visits.referrer_host, '') = ways_in.referrer_host
            and coalesce(visits.click_id_name, '') = ways_in.click_id_name
    left join attention on visits.session_id = attention.session_id

)

select * from final
