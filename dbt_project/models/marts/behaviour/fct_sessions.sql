{# One row per visit of somebody who is neither a bot nor one of us. #}
{{ config(
    materialized='by_key',
    key='session_id',
    views=['int_behaviour__attention', 'int_behaviour__carts'],
    inputs={
        'int_behaviour__events': {
            'key': 'session_id', 'content': 'content_number, customer_id'
        }
    },
    fixed={'channel_rules': none}
) }}
-- depends_on: {{ ref('channel_rules') }}
{%- set in_order = ['occurred_at', 'message_id'] %}

with

events as (

    select
        *,
        event_type in ('page', 'screen') or is_heartbeat as is_on_page,
        case when event_name = 'Order Completed' then coalesce(order_id, message_id) end
            as order_key,
        case
            when event_name in ('Cart Viewed', 'Product Removed') then 'look'
            when event_name = 'Product Added' then 'cart'
            when event_name = 'Checkout Started' then 'checkout'
            when event_name in ('Checkout Step Viewed', 'Checkout Step Completed') then 'checkout'
            when event_name = 'Payment Info Entered' then 'payment'
            when event_name = 'Order Completed' then 'order'
        end as checkout_step
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

carts as (

    select * from {{ ref('int_behaviour__carts') }}

),

{# Who comes to be known in a visit was it from the start: its last event says who. #}
visits as (

    select
        session_id,
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
        count(case when event_name = 'Product Removed' then 1 end) as products_removed,
        {# A page of thanks that is loaded again reports its order again. #}
        count(distinct order_key) as orders,
        min(case when checkout_step is not null then occurred_at end) as cart_opened_at,
        min(case when checkout_step = 'cart' then occurred_at end) as cart_filled_at,
        min(case when checkout_step = 'checkout' then occurred_at end) as checkout_started_at,
        min(case when checkout_step = 'payment' then occurred_at end) as payment_entered_at,
        min(case when checkout_step = 'order' then occurred_at end) as order_completed_at,
        {{ first_row([
            'anonymous_id', 'device', 'page_path', 'campaign_source', 'campaign_medium',
            'campaign_name', 'campaign_id', 'click_id', 'click_id_name', 'referrer_host'
        ], in_order) }} as entry,
        {{ first_row(['page_path'], in_order) }} filter (where is_on_page) as landing,
        {{ last_row(['page_path'], in_order) }} filter (where is_on_page) as leaving,
        {{ last_row(['customer_id'], in_order) }} as latest
    from events
    group by session_id

),

final as (

    select
        visits.session_id,
        visits.latest.customer_id,
        visits.entry.anonymous_id,
        visits.started_at,
        visits.ended_at,
        visits.events,
        visits.page_views,
        cast(coalesce(attention.engaged_seconds, 0) as bigint) as engaged_seconds,
        visits.product_views,
        visits.products_added,
        visits.products_removed,
        coalesce(carts.products_kept, 0) as products_kept,
        visits.orders,
        visits.cart_opened_at,
        visits.cart_filled_at,
        visits.checkout_started_at,
        visits.payment_entered_at,
        visits.order_completed_at,
        visits.entry.device,
        coalesce(visits.landing.page_path, visits.entry.page_path) as entry_page_path,
        coalesce(visits.leaving.page_path, visits.entry.page_path) as exit_page_path,
        ways_in.channel as marketing_channel,
        visits.entry.campaign_source,
        visits.entry.campaign_medium,
        visits.entry.campaign_name,
        visits.entry.campaign_id,
        visits.entry.click_id,
        visits.entry.referrer_host
    from visits
    inner join ways_in
        on
            lower(coalesce(visits.entry.campaign_medium, '')) = ways_in.medium
            and lower(coalesce(visits.entry.campaign_source, '')) = ways_in.source
            and coalesce(visits.entry.referrer_host, '') = ways_in.referrer_host
            and coalesce(visits.entry.click_id_name, '') = ways_in.click_id_name
    left join attention on visits.session_id = attention.session_id
    left join carts on visits.session_id = carts.session_id

)

select * from final
