{#
One row per touch: a moment at which marketing, or the store, reached a person.

Visits with the channel that brought them, clicks in e-mails, what people do on social networks, and
store receipts. A click in an e-mail and the visit it begins are one touch.
#}

with

visits as (

    select * from {{ ref('int_behaviour__visit_touches') }}
    where not is_email_click

),

email_clicks as (

    select * from {{ ref('int_behaviour__email_clicks') }}

),

interactions as (

    select * from {{ ref('stg_social__interactions') }}

),

store_orders as (

    select * from {{ ref('fct_orders') }}
    where channel = 'store'

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

final as (

    select
        {{ surrogate_key(["'visit'", 'session_id']) }} as touchpoint_id,
        customer_id,
        occurred_at,
        'visit' as kind,
        marketing_channel,
        campaign_key,
        cast(null as string) as detail,
        session_id as reference
    from visits
    union all
    select
        {{ surrogate_key(["'email_click'", 'event_id']) }} as touchpoint_id,
        customer_id,
        occurred_at,
        'email_click' as kind,
        'email' as marketing_channel,
        campaign_key,
        null as detail,
        event_id as reference
    from email_clicks
    union all
    select
        {{ surrogate_key(["'social'", 'interactions.interaction_id']) }} as touchpoint_id,
        identity_map.customer_id,
        interactions.occurred_at,
        'social' as kind,
        'organic_social' as marketing_channel,
        null as campaign_key,
        concat_ws(' ', interactions.kind, 'on', interactions.network) as detail,
        interactions.interaction_id as reference
    from interactions
    left join identity_map
        on identity_map.record_key = 'social:profile:' || interactions.social_handle
    union all
    select
        {{ surrogate_key(["'store'", 'order_id']) }} as touchpoint_id,
        customer_id,
        ordered_at as occurred_at,
        'store' as kind,
        'store' as marketing_channel,
        null as campaign_key,
        null as detail,
        order_id as reference
    from store_orders

)

select * from final
