-- The tables that benchmarks/marts.py measures, as one would write them for DuckDB alone.

create temp table clean as
with first_received as (
    select
        * exclude (context, properties, anonymous_id, user_id, sent_at, occurred_at, received_at),
        lower(nullif(trim(anonymous_id), '')) as anonymous_id,
        lower(nullif(trim(user_id), '')) as user_id,
        sent_at::timestamp as sent_at,
        occurred_at::timestamp as told_at,
        received_at::timestamp as received_at,
        json_extract_string(context, [
            '$.page.path', '$.page.url', '$.page.search', '$.page.referrer', '$.pageViewId',
            '$.sessionId', '$.campaign.source', '$.campaign.medium', '$.campaign.name',
            '$.campaign.id', '$.userAgent', '$.ip', '$.app.name', '$.device.type'
        ]) as c,
        json_extract_string(properties, ['$.product_id', '$.order_id']) as p
    from raw_web.events
    qualify row_number() over (
        partition by message_id order by received_at, sent_at desc nulls last, _dlt_load_id, origin
    ) = 1
),
named as (
    select
        message_id, lower(event_type) as event_type, event_name, anonymous_id, user_id, received_at,
        coalesce(told_at + (received_at - sent_at), told_at, received_at) as corrected_at,
        c[1] as page_path,
        nullif(lower(split_part(split_part(split_part(c[4], '//', 2), '/', 1), ':', 1)), '') as from_host,
        nullif(lower(split_part(split_part(split_part(c[2], '//', 2), '/', 1), ':', 1)), '') as own_host,
        regexp_extract(
            concat(c[2], c[3]),
            '[?&](gclid|gbraid|wbraid|dclid|msclkid|fbclid|ttclid|twclid|li_fat_id|awc|cto_pld)=([^?&#]+)',
            ['name', 'id']
        ) as click,
        coalesce(c[5], message_id) as page_view_id,
        c[6] as client_session_id,
        c[7] as source, c[8] as medium, c[9] as campaign_name, c[10] as campaign_id,
        lower(c[11]) as agent, c[11] is not null as has_agent,
        coalesce(regexp_matches(agent, 'bot|crawler|spider|headless'), false) as is_bot,
        coalesce(c[12] like '10.%' or email ilike '%@shop.example.com' or agent like '%cdp-test%', false)
            as is_internal,
        c[13] is not null as is_app, lower(c[14]) as device_type,
        upper(p[1]) as product_id, 'shop:' || p[2] as order_id
    from first_received
)
select
    * exclude (corrected_at, from_host, own_host, click, agent, has_agent, is_app, device_type),
    case when corrected_at < '2000-01-01' then received_at else least(received_at, corrected_at) end
        as occurred_at,
    nullif(from_host, own_host) as referrer_host,
    nullif(click.name, '') as click_id_name,
    nullif(click.id, '') as click_id,
    case
        when is_app then 'app'
        when device_type in ('mobile', 'tablet', 'desktop') then device_type
        when agent like '%ipad%' or agent like '%tablet%' then 'tablet'
        when agent like '%mobi%' then 'mobile'
        when has_agent then 'desktop'
    end as device
from named;

create temp table placed as
with whose as (
    select
        e.* exclude (client_session_id),
        coalesce(u.customer_id, v.customer_id) as customer_id,
        coalesce(u.customer_id, v.customer_id, e.anonymous_id, e.user_id) as visitor_id,
        case
            when length(client_session_id) < 32
                then md5(concat(coalesce(e.anonymous_id, '~'), '|', client_session_id))
            else client_session_id
        end as client_session_id,
        nullif(
            concat_ws('|', e.source, medium, campaign_name, campaign_id, click_id), ''
        ) as landing
    from clean as e
    left join identity.device_periods as d
        on e.anonymous_id = d.anonymous_id
        and (d.after_at is null or e.occurred_at > d.after_at)
        and (d.until_at is null or e.occurred_at <= d.until_at)
    left join identity.identity_map as v on d.record_key = v.record_key
    left join identity.identity_map as u on u.record_key = 'web:user:' || e.user_id
),
before as (
    select
        *,
        lag(occurred_at) over visit as previous_at,
        lag(case when client_session_id is null then landing end ignore nulls) over device
            as previous_landing
    from whose
    window
        visit as (
            partition by visitor_id, anonymous_id, client_session_id order by occurred_at, message_id
        ),
        device as (partition by visitor_id, anonymous_id order by occurred_at, message_id)
),
begun as (
    select
        *,
        client_session_id is null and (
            previous_at is null
            or occurred_at > previous_at + interval 30 minute
            or coalesce(landing <> previous_landing, landing is not null)
        ) as begins
    from before
)
select
    * exclude (begins, previous_at, previous_landing, landing, visitor_id, client_session_id),
    coalesce(
        client_session_id,
        last_value(case when begins then message_id end ignore nulls) over (
            partition by visitor_id, anonymous_id, client_session_id order by occurred_at, message_id
        )
    ) as session_id,
    coalesce(event_name = 'Page Pinged', false) as is_heartbeat,
    event_type in ('page', 'screen') as is_page,
    not is_bot and not is_internal as is_human
from begun;

create table hand.fct_events as
select
    message_id as event_id, session_id, customer_id, anonymous_id, event_type, event_name, occurred_at,
    received_at, page_view_id, page_path, device, product_id, order_id, is_heartbeat, is_bot, is_internal
from placed;

create temp table attention as
select
    page_view_id, session_id, max(occurred_at) as last_at,
    5 + 10 * (count(distinct floor(epoch(occurred_at))::bigint // 10) - 1) as seconds
from placed where is_heartbeat and is_human
group by all;

create table hand.fct_page_views as
with views as (
    select * from placed where is_page and is_human
    qualify row_number() over (partition by page_view_id order by occurred_at, message_id) = 1
)
select
    page_view_id, session_id, customer_id, anonymous_id, occurred_at as viewed_at,
    greatest(occurred_at, coalesce(last_at, occurred_at)) as ended_at,
    coalesce(seconds, 0) as engaged_seconds,
    row_number() over (partition by session_id order by occurred_at, message_id) as page_number,
    count(*) over (partition by session_id) as pages_in_session,
    page_path, device
from views left join attention using (page_view_id, session_id);

create table hand.fct_sessions as
with visits as (
    select
        session_id,
        arg_max_null(customer_id, (occurred_at, message_id)) as customer_id,
        min(case when is_heartbeat then occurred_at - interval 5 second else occurred_at end) as started_at,
        max(occurred_at) as ended_at,
        count(*) as events,
        count(distinct case when is_page or is_heartbeat then page_view_id end) as page_views,
        count(*) filter (event_name = 'Product Viewed') as product_views,
        count(*) filter (event_name = 'Product Added') as products_added,
        count(*) filter (event_name = 'Product Removed') as products_removed,
        count(distinct coalesce(order_id, message_id)) filter (event_name = 'Order Completed') as orders,
        min(occurred_at) filter (event_name in (
            'Product Added', 'Product Removed', 'Cart Viewed', 'Checkout Started', 'Checkout Step Viewed',
            'Checkout Step Completed', 'Payment Info Entered', 'Order Completed'
        )) as cart_opened_at,
        min(occurred_at) filter (event_name = 'Product Added') as cart_filled_at,
        min(occurred_at) filter (event_name like 'Checkout S%') as checkout_started_at,
        min(occurred_at) filter (event_name = 'Payment Info Entered') as payment_entered_at,
        min(occurred_at) filter (event_name = 'Order Completed') as order_completed_at,
        arg_min(
            struct_pack(
                anonymous_id, device, page_path, source, medium, campaign_name, campaign_id, click_id,
                click_id_name, referrer_host
            ), (occurred_at, message_id)
        ) as entry,
        arg_min_null(page_path, (occurred_at, message_id)) filter (is_page or is_heartbeat) as landed_on,
        arg_max_null(page_path, (occurred_at, message_id)) filter (is_page or is_heartbeat) as left_from
    from placed where is_human
    group by session_id
),
carts as (
    select session_id, count(*) as products_kept
    from (
        select session_id, product_id, arg_max(event_name, (occurred_at, message_id)) as latest
        from placed where is_human and event_name in ('Product Added', 'Product Removed')
        group by session_id, product_id
    )
    where latest = 'Product Added'
    group by session_id
),
looked as (select session_id, sum(seconds)::bigint as seconds from attention group by session_id),
ways as (
    select distinct
        lower(coalesce(entry.medium, '')) as medium, lower(coalesce(entry.source, '')) as source,
        coalesce(entry.referrer_host, '') as host, coalesce(entry.click_id_name, '') as click
    from visits
),
channels as (
    select ways.*, arg_min(channel, priority) as channel
    from ways inner join rules.channel_rules as r
        on medium like coalesce(nullif(medium_like, ''), '%')
        and source like coalesce(nullif(source_like, ''), '%')
        and host like coalesce(nullif(referrer_like, ''), '%')
        and click like coalesce(nullif(click_id_name, ''), '%')
    group by all
)
select
    session_id, customer_id, entry.anonymous_id, started_at, ended_at, events, page_views,
    coalesce(looked.seconds, 0) as engaged_seconds, product_views, products_added, products_removed,
    coalesce(products_kept, 0) as products_kept,
    orders, cart_opened_at, cart_filled_at, checkout_started_at, payment_entered_at, order_completed_at,
    entry.device,
    coalesce(landed_on, entry.page_path) as entry_page_path,
    coalesce(left_from, entry.page_path) as exit_page_path,
    channel as marketing_channel, entry.source as campaign_source, entry.medium as campaign_medium,
    entry.campaign_name, entry.campaign_id, entry.click_id, entry.referrer_host
from visits left join looked using (session_id) left join carts using (session_id)
inner join channels
    on lower(coalesce(entry.medium, '')) = channels.medium
    and lower(coalesce(entry.source, '')) = channels.source
    and coalesce(entry.referrer_host, '') = channels.host
    and coalesce(entry.click_id_name, '') = channels.click;

create table hand.fct_checkouts as
with steps as (
    select * from hand.fct_sessions
    where
        cart_filled_at is not null or checkout_started_at is not null
        or payment_entered_at is not null or orders > 0
),
later as (
    select session_id, min(o.ordered_at) as ordered_at
    from steps inner join marts.fct_orders as o using (customer_id)
    where
        order_completed_at is null
        and o.ordered_at between cart_opened_at and cart_opened_at + interval 7 day
    group by session_id
)
select
    session_id, customer_id, cart_opened_at as began_at, marketing_channel, device, products_added,
    products_removed, products_kept, cart_filled_at, checkout_started_at, payment_entered_at,
    coalesce(order_completed_at, later.ordered_at) as ordered_at, orders,
    case
        when order_completed_at is not null then 'ordered'
        when payment_entered_at is not null then 'payment'
        when checkout_started_at is not null then 'checkout'
        else 'cart'
    end as furthest_step,
    case
        when order_completed_at is not null then 'ordered'
        when later.ordered_at is not null then 'ordered_later'
        when products_added > 0 and products_kept = 0 then 'emptied'
        when cart_opened_at::date + interval 7 day >= as_of then 'open'
        else 'abandoned'
    end as outcome
from steps cross join marts.as_of left join later using (session_id);

create table hand.fct_touchpoints as
with clicks as (
    select
        trim(event_id) as event_id, customer_id, 'email:' || trim(campaign_id) as campaign_key,
        occurred_at::timestamp as occurred_at
    from raw_email.events
    left join identity.identity_map on record_key = 'email:profile:' || lower(trim(profile_id))
    qualify row_number() over (
        partition by trim(event_id) order by updated_at desc, raw_email.events._dlt_load_id desc
    ) = 1 and lower(trim(kind)) = 'clicked'
),
named as (
    select
        *, lower(campaign_name) as name, coalesce(started_on, date '1900-01-01') as began,
        row_number() over of_name as n, lead(began) over of_name as next_n,
        row_number() over of_channel as c, lead(began) over of_channel as next_c
    from marts.dim_campaigns
    window
        of_name as (partition by source, name order by began, campaign_key),
        of_channel as (partition by source, name, marketing_channel order by began, campaign_key)
),
visits as (
    select
        s.session_id, s.customer_id, s.started_at,
        coalesce(i.campaign_key, c.campaign_key, n.campaign_key) as campaign_key,
        coalesce(i.marketing_channel, c.marketing_channel, n.marketing_channel, s.marketing_channel)
            as marketing_channel
    from hand.fct_sessions as s
    left join marts.dim_campaigns as i
        on s.campaign_id = i.campaign_id and (s.marketing_channel = 'email') = (i.source = 'email')
    left join named as c
        on lower(s.campaign_name) = c.name and s.marketing_channel = c.marketing_channel
        and (s.marketing_channel = 'email') = (c.source = 'email')
        and (c.c = 1 or s.started_at::date >= c.began)
        and (c.next_c is null or s.started_at::date < c.next_c)
    left join named as n
        on lower(s.campaign_name) = n.name
        and (s.marketing_channel = 'email') = (n.source = 'email')
        and (n.n = 1 or s.started_at::date >= n.began)
        and (n.next_n is null or s.started_at::date < n.next_n)
)
select
    md5('visit|' || session_id) as touchpoint_id, customer_id, started_at as occurred_at, 'visit' as kind,
    marketing_channel, campaign_key, null::varchar as detail, session_id as reference
from visits
where not exists (
    from clicks
    where clicks.customer_id = visits.customer_id and clicks.campaign_key = visits.campaign_key
    and started_at between clicks.occurred_at - interval 5 minute and clicks.occurred_at + interval 60 minute
)
union all
select md5('email_click|' || event_id), customer_id, occurred_at, 'email_click', 'email', campaign_key,
    null, event_id
from clicks
union all
select md5('social|' || interaction_id), customer_id, occurred_at, 'social', 'organic_social', null,
    concat_ws(' ', kind, 'on', network), interaction_id
from staging.stg_social__interactions
left join identity.identity_map on record_key = 'social:profile:' || social_handle
union all
select md5('store|' || order_id), customer_id, ordered_at, 'store', 'store', null, null, order_id
from marts.fct_orders where channel = 'store';

create table hand.customer_timeline as
select
    md5('order|' || order_id) as interaction_id, customer_id, ordered_at as occurred_at, 'order' as kind,
    channel,
    concat_ws(
        ' ', 'Bought', case when order_amount = gross_amount then items || ' items of' end, products,
        'products'
    ) as summary,
    gross_amount as amount, order_id as reference
from marts.fct_orders
union all
select md5('refund|' || refund_id), customer_id, refunded_at, 'refund', channel,
    concat_ws(' ', 'Gave back', quantity, product_name), -refund_amount, cancellation_id
from marts.fct_refunds left join marts.dim_products using (product_id)
union all
select md5('session|' || session_id), customer_id, started_at, 'visit', 'web',
    concat_ws(
        ' ', 'Came by', marketing_channel, campaign_name, 'and saw', page_views, 'pages and',
        product_views, 'products',
        case when products_kept > 0 and orders = 0 then 'and left something in the cart' end
    ), null, session_id
from hand.fct_sessions
union all
select
    md5(concat_ws(
        '|', 'consent', customer_id, purpose, channel, is_granted, source,
        coalesce(floor(epoch(decided_at))::bigint::varchar, '~')
    )),
    customer_id, min(decided_at), 'consent', source,
    concat_ws(' ', if(is_granted, 'Agreed to', 'Refused'), purpose, 'by', channel), null, null
from profiles.consent_decisions
group by customer_id, purpose, channel, is_granted, source, floor(epoch(decided_at))
union all
select message_id, customer_id, coalesce(sent_at, first_event_at), 'email', 'email',
    concat_ws(
        ' ', 'Was sent the e-mail', campaign_name,
        case
            when bounced_at is not null then 'which came back'
            when clicks > 0 then 'and clicked in it'
            when opens > 0 then 'and opened it'
        end,
        if(unsubscribed_at is not null, 'and unsubscribed', null),
        if(marked_spam_at is not null, 'and called it spam', null)
    ), null, campaign_key
from marts.fct_email_engagement left join marts.dim_campaigns using (campaign_key)
union all
select md5('support|' || ticket_id), customer_id, opened_at, 'support', channel,
    concat_ws(
        ' ', 'Asked for help by', channel,
        coalesce('and got it after ' || hours_to_solve || ' hours', '(' || status || ')'),
        'and rated it ' || satisfaction
    ), null, ticket_id
from marts.fct_support_contacts
union all
select touchpoint_id, customer_id, occurred_at, 'social', marketing_channel, 'Left a ' || detail, null, reference
from hand.fct_touchpoints where kind = 'social';

delete from hand.customer_timeline where customer_id is null;
