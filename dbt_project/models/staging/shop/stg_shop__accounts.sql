{# One row per customer account, in its newest version. #}

with

versions as (

    select * from {{ ref('stg_shop__account_versions') }}
    where version = 1

),

final as (

    select
        user_id,
        email,
        first_name,
        last_name,
        phone,
        street,
        city,
        postcode,
        country,
        accepts_marketing,
        created_at,
        updated_at
    from versions

)

select * from final
