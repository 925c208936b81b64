{# One row per click in an e-mail, with who clicked. #}

with

events as (

    select * from {{ ref('stg_email__events') }}
    where kind = 'clicked'

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

final as (

    select
        events.event_id,
        identity_map.customer_id,
        'email:' || events.campaign_id as campaign_key,
        events.occurred_at
    from events
    left join identity_map
        on identity_map.record_key = 'email:profile:' || events.profile_id

)

select * from final
