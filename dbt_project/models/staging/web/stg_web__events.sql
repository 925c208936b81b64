{# One row per message, by its first receipt, with the client's clock corrected. #}
{{ config(
    materialized='by_key',
    key='message_id',
    inputs={
        'raw_web.events': {
            'key': 'message_id',
            'content': 'message_id, origin',
            'loads': '_dlt_load_id'
        }
    }
) }}
{%- set columns = [
    'message_id', 'event_type', 'event_name', 'anonymous_id', 'user_id', 'email', 'sent_at',
    'occurred_at', 'received_at', 'context', 'properties', '_dlt_load_id'
] %}
{%- set of_context = [
    '$.page.path', '$.page.url', '$.page.search', '$.page.referrer', '$.pageViewId',
    '$.sessionId', '$.campaign.source', '$.campaign.medium', '$.campaign.name', '$.campaign.id',
    '$.userAgent', '$.ip', '$.app.name', '$.device.type'
] %}
{%- set of_properties = ['$.product_id', '$.order_id'] %}
{%- set click_id_pattern
    = '[?&](gclid|gbraid|wbraid|dclid|msclkid|fbclid|ttclid|twclid|li_fat_id|awc|cto_pld)=([^?&#]+)'
%}

with

source as (

    select * from {{ source('raw_web', 'events') }}

),

{# Most messages come once: only those that came again are put in order. #}
repeated as (

    select message_id
    from source
    group by message_id
    having count(*) > 1

),

numbered as (

    select
        source.*,
        row_number() over (
            partition by source.message_id
            order by
                source.received_at asc nulls last,
                source.sent_at desc nulls last,
                source._dlt_load_id asc nulls last,
                source.origin asc nulls last
        ) as receipt
    from source
    inner join repeated on source.message_id = repeated.message_id

),

first_receipts as (

    select {{ columns | join(', ') }}
    from numbered
    where receipt = 1
    union all
    select {{ columns | join(', ') }}
    from source
    where message_id not in (select repeated.message_id from repeated)

),

{# Each JSON text is parsed once. #}
opened as (

    select
        *,
        {{ json_texts('context', of_context) }} as context_texts,
        {{ json_texts('properties', of_properties) }} as properties_texts
    from first_receipts

),

renamed as (

    select
        message_id,
        lower(event_type) as event_type,
        event_name,
        lower({{ clean_text('anonymous_id') }}) as anonymous_id,
        lower({{ clean_text('user_id') }}) as user_id,
        coalesce(
            {{ normalise_email('email') }},
            case when user_id like '%@%' then {{ normalise_email('user_id') }} end
        ) as email,
        cast(sent_at as timestamp) as sent_at,
        cast(occurred_at as timestamp) as client_occurred_at,
        cast(received_at as timestamp) as received_at,
        {{ text_at('context_texts', of_context, '$.page.path') }} as page_path,
        {{ text_at('context_texts', of_context, '$.page.url') }} as page_url,
        concat_ws(
            '',
            {{ text_at('context_texts', of_context, '$.page.url') }},
            {{ text_at('context_texts', of_context, '$.page.search') }}
        ) as page_address,
        {{ text_at('context_texts', of_context, '$.page.referrer') }} as referrer,
        {{ text_at('context_texts', of_context, '$.pageViewId') }} as page_view_id,
        {{ text_at('context_texts', of_context, '$.sessionId') }} as client_session_id,
        {{ text_at('context_texts', of_context, '$.campaign.source') }} as campaign_source,
        {{ text_at('context_texts', of_context, '$.campaign.medium') }} as campaign_medium,
        {{ text_at('context_texts', of_context, '$.campaign.name') }} as campaign_name,
        {{ text_at('context_texts', of_context, '$.campaign.id') }} as campaign_id,
        {{ text_at('context_texts', of_context, '$.userAgent') }} as user_agent,
        {{ text_at('context_texts', of_context, '$.ip') }} as ip_address,
        {{ text_at('context_texts', of_context, '$.app.name') }} as app_name,
        lower({{ text_at('context_texts', of_context, '$.device.type') }}) as device_type,
        upper({{ text_at('properties_texts', of_properties, '$.product_id') }}) as stock_code,
        {{ text_at('properties_texts', of_properties, '$.order_id') }} as order_id,
        {{ time_of_load('_dlt_load_id') }} as loaded_at
    from opened

),

corrected as (

    select
        message_id,
        event_type,
        event_name,
        anonymous_id,
        user_id,
        email,
        {# receivedAt - (sentAt - timestamp); a time after the receipt, or absurd, is the receipt #}
        case
            when
                coalesce(client_occurred_at + (received_at - sent_at), client_occurred_at)
                < cast('2000-01-01' as timestamp)
                then received_at
            else least(
                received_at,
                coalesce(
                    client_occurred_at + (received_at - sent_at), client_occurred_at, received_at
                )
            )
        end as occurred_at,
        received_at,
        page_path,
        {# A referrer of the same host is a step within the site, not a way in. #}
        nullif({{ url_host('referrer') }}, {{ url_host('page_url') }}) as referrer_host,
        coalesce(page_view_id, message_id) as page_view_id,
        client_session_id,
        campaign_source,
        campaign_medium,
        campaign_name,
        campaign_id,
        nullif(regexp_extract(page_address, '{{ click_id_pattern }}', 1), '') as click_id_name,
        nullif(regexp_extract(page_address, '{{ click_id_pattern }}', 2), '') as click_id,
        user_agent,
        coalesce(
            lower(user_agent) like '%bot%'
            or lower(user_agent) like '%crawler%'
            or lower(user_agent) like '%spider%'
            or lower(user_agent) like '%headless%',
            false
        ) as is_bot,
        coalesce(
            ip_address like '{{ var("internal_ip_prefix") }}%'
            or email like '%@{{ var("internal_email_domain") }}'
            or lower(user_agent) like '%{{ var("internal_user_agent") }}%',
            false
        ) as is_internal,
        app_name,
        device_type,
        stock_code,
        order_id,
        loaded_at
    from renamed

),

final as (

    select
        *,
        {{ content_number([
            'message_id', 'event_type', 'event_name', 'anonymous_id', 'user_id', 'occurred_at',
            'received_at', 'page_path', 'referrer_host', 'page_view_id', 'client_session_id',
            'campaign_source', 'campaign_medium', 'campaign_name', 'campaign_id', 'click_id_name',
            'click_id', 'user_agent', 'is_bot', 'is_internal', 'app_name', 'device_type',
            'stock_code', 'order_id'
        ]) }} as content_number
    from corrected

)

select * from final
