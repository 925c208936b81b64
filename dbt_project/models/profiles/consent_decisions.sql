{# One row per decision of a customer on a purpose and channel; the latest has recency 1. #}

with

consents as (

    select * from {{ ref('stg_crm__consents') }}

),

choices as (

    select * from {{ ref('stg_shop__marketing_choices') }}

),

email_events as (

    select * from {{ ref('stg_email__events') }}
    where kind in ('unsubscribed', 'marked_spam')

),

unsubscribed_profiles as (

    select * from {{ ref('stg_email__profiles') }}
    where not is_subscribed

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

{# Standing on a list is no yes; leaving it is a no. #}
decisions as (

    select
        'crm:contact:' || contact_id as record_key,
        purpose,
        channel,
        is_granted,
        decided_at,
        'crm' as source
    from consents
    union all
    select
        'shop:account:' || user_id as record_key,
        'marketing' as purpose,
        'email' as channel,
        accepts_marketing as is_granted,
        decided_at,
        'shop' as source
    from choices
    union all
    select
        'email:profile:' || profile_id as record_key,
        'marketing' as purpose,
        'email' as channel,
        false as is_granted,
        occurred_at as decided_at,
        'email' as source
    from email_events
    union all
    select
        'email:profile:' || profile_id as record_key,
        'marketing' as purpose,
        'email' as channel,
        false as is_granted,
        updated_at as decided_at,
        'email' as source
    from unsubscribed_profiles

),

{# Of two decisions at one time the refusal counts. #}
final as (

    select
        identity_map.customer_id,
        decisions.purpose,
        decisions.channel,
        decisions.is_granted,
        decisions.decided_at,
        decisions.source,
        row_number() over (
            partition by identity_map.customer_id, decisions.purpose, decisions.channel
            order by
                decisions.decided_at desc nulls last,
                decisions.is_granted asc nulls last,
                decisions.source asc nulls last
        ) as recency
    from decisions
    inner join identity_map on decisions.record_key = identity_map.record_key

)

select * from final
