{# One row per profile on one social network, in its newest version. #}

with

versions as (

    select * from {{ ref('stg_social__profile_versions') }}
    where version = 1

),

final as (

    select
        social_handle,
        network,
        handle,
        display_name,
        email,
        url,
        updated_at
    from versions

)

select * from final
