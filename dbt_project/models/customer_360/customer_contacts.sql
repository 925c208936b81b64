{# One row per customer who can be addressed: the only public table made of direct identifiers. #}

with

profiles as (

    select * from {{ ref('customer_profiles') }}
    where not is_anonymous

),

final as (

    select
        customer_id,
        first_name,
        last_name,
        email,
        phone,
        street,
        postcode,
        city,
        country_code
    from profiles

)

select * from final
