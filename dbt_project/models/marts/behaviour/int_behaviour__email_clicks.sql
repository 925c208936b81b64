{# One row per click in an e-mail, with who clicked. #}

with

events as (

    select * from {{ ref('stg_email__events') }}
    where kind = 'clicked'

),

profiles as (

    select
        substr(record_key, length('email:profile:') + 1) as profile_id,
        customer_id
    from {{ ref('identity_map') }}
    where record_key like 'email:profile:%'

),

final as (

    select
        events.event_id,
        profiles.customer_id,
        'email:' || events.campaign_id as campaign_key,
        events.occurred_at
    from events
    left join profiles on events.profile_id = profiles.profile_id

)

select * from final
