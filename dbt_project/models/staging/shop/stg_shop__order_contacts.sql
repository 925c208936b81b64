{# One row per order of a guest, with the contact given for it. #}

with

versions as (

    select * from {{ ref('stg_shop__order_contact_versions') }}
    where version = 1

),

final as (

    select
        order_id,
        email,
        first_name,
        last_name,
        phone,
        street,
        city,
        postcode,
        country,
        ordered_at
    from versions

)

select * from final
