{# One row per profile of the e-mail tool, in its newest version. #}

with

versions as (

    select * from {{ ref('stg_email__profile_versions') }}
    where version = 1

),

final as (

    select
        profile_id,
        email,
        first_name,
        last_name,
        phone,
        country,
        is_subscribed,
        created_at,
        updated_at
    from versions

)

select * from final
