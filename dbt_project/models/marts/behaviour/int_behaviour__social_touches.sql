{# One row per thing that somebody did on a social network, with who did it. #}

with

interactions as (

    select * from {{ ref('stg_social__interactions') }}

),

profiles as (

    select
        substr(record_key, length('social:profile:') + 1) as social_handle,
        customer_id
    from {{ ref('identity_map') }}
    where record_key like 'social:profile:%'

),

final as (

    select
        interactions.interaction_id,
        profiles.customer_id,
        interactions.occurred_at,
        concat_ws(' ', interactions.kind, 'on', interactions.network) as detail
    from interactions
    left join profiles on interactions.social_handle = profiles.social_handle

)

select * from final
