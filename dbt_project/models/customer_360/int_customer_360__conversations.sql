{# One row per message, ticket or social interaction of a customer, in the timeline's shape. #}

with

messages as (

    select * from {{ ref('fct_email_engagement') }}
    where customer_id is not null

),

campaigns as (

    select * from {{ ref('dim_campaigns') }}

),

tickets as (

    select * from {{ ref('fct_support_contacts') }}
    where customer_id is not null

),

interactions as (

    select * from {{ ref('fct_touchpoints') }}
    where customer_id is not null and kind = 'social'

),

final as (

    select
        messages.message_id as interaction_id,
        messages.customer_id,
        coalesce(messages.sent_at, messages.first_event_at) as occurred_at,
        'email' as kind,
        'email' as channel,
        concat_ws(
            ' ', 'Was sent the e-mail', campaigns.campaign_name,
            case
                when messages.bounced_at is not null then 'which came back'
                when messages.clicks > 0 then 'and clicked in it'
                when messages.opens > 0 then 'and opened it'
            end,
            case when messages.unsubscribed_at is not null then 'and unsubscribed' end,
            case when messages.marked_spam_at is not null then 'and called it spam' end
        ) as summary,
        messages.campaign_key as reference
    from messages
    left join campaigns on messages.campaign_key = campaigns.campaign_key
    union all
    select
        {{ surrogate_key(["'support'", 'ticket_id']) }} as interaction_id,
        customer_id,
        opened_at as occurred_at,
        'support' as kind,
        channel,
        concat_ws(
            ' ', 'Asked for help by', channel,
            case
                when hours_to_solve is not null
                    then concat_ws(' ', 'and got it after', hours_to_solve, 'hours')
                else '(' || status || ')'
            end,
            case
                when satisfaction is not null then concat_ws(' ', 'and rated it', satisfaction)
            end
        ) as summary,
        ticket_id as reference
    from tickets
    union all
    select
        touchpoint_id as interaction_id,
        customer_id,
        occurred_at,
        'social' as kind,
        marketing_channel as channel,
        concat_ws(' ', 'Left a', detail) as summary,
        reference
    from interactions

)

select * from final
