{#
One row per touch: a moment at which marketing, or the store, reached a person.

Visits with the channel that brought them, clicks in e-mails, what people do on social networks, and
store receipts. A click in an e-mail and the visit it begins are one touch.
#}
{{ config(
    materialized='by_key',
    key='coalesce(customer_id, reference)',
    views=['int_behaviour__visit_touches'],
    inputs={
        'fct_sessions': {'key': 'coalesce(customer_id, session_id)'},
        'int_behaviour__email_clicks': {'key': 'coalesce(customer_id, event_id)'},
        'int_behaviour__social_touches': {'key': 'coalesce(customer_id, interaction_id)'},
        'fct_orders': {'key': 'coalesce(customer_id, order_id)'}
    },
    fixed={'int_behaviour__named_campaigns': none}
) }}
-- depends_on: {{ ref('fct_sessions') }}
-- depends_on: {{ ref('int_behaviour__named_campaigns') }}

with

visits as (

    select * from {{ ref('int_behaviour__visit_touches') }}
    where not is_email_click

),

email_clicks as (

    select * from {{ ref('int_behaviour__email_clicks') }}

),

social_touches as (

    select * from {{ ref('int_behaviour__social_touches') }}

),

store_orders as (

    select * from {{ ref('fct_orders') }}
    where channel = 'store'

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
        {{ surrogate_key(["'social'", 'interaction_id']) }} as touchpoint_id,
        customer_id,
        occurred_at,
        'social' as kind,
        'organic_social' as marketing_channel,
        null as campaign_key,
        detail,
        interaction_id as reference
    from social_touches
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
