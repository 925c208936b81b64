{# One row per user of the help desk, in its newest version. #}

with

versions as (

    select * from {{ ref('stg_support__user_versions') }}
    where version = 1

),

final as (

    select
        support_user_id,
        full_name,
        email,
        phone,
        created_at,
        updated_at
    from versions

)

select * from final
