{# One row per message, a campaign sent to a profile, with what became of it. #}

with

events as (

    select * from {{ ref('stg_email__events') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

messages as (

    select
        profile_id,
        campaign_id,
        min(case when kind = 'sent' then occurred_at end) as sent_at,
        min(case when kind = 'delivered' then occurred_at end) as delivered_at,
        min(case when kind = 'opened' then occurred_at end) as opened_at,
        min(case when kind = 'clicked' then occurred_at end) as clicked_at,
        min(case when kind = 'bounced' then occurred_at end) as bounced_at,
        min(case when kind = 'unsubscribed' then occurred_at end) as unsubscribed_at,
        min(case when kind = 'marked_spam' then occurred_at end) as marked_spam_at,
        min(occurred_at) as first_event_at,
        count(case when kind = 'opened' then 1 end) as opens,
        count(case when kind = 'clicked' then 1 end) as clicks,
        count(*) as events
    from events
    group by profile_id, campaign_id

),

final as (

    select
        {{ surrogate_key(['messages.profile_id', 'messages.campaign_id']) }} as message_id,
        identity_map.customer_id,
        'email:' || messages.campaign_id as campaign_key,
        {# Some tools tell only what came after: what arrived, was opened or came back was sent. #}
        coalesce(
            messages.sent_at,
            case when messages.campaign_id is not null then messages.first_event_at end
        ) as sent_at,
        messages.delivered_at,
        messages.opened_at,
        messages.clicked_at,
        messages.bounced_at,
        messages.unsubscribed_at,
        messages.marked_spam_at,
        messages.first_event_at,
        messages.opens,
        messages.clicks,
        messages.events
    from messages
    left join identity_map
        on identity_map.record_key = 'email:profile:' || messages.profile_id

)

select * from final
