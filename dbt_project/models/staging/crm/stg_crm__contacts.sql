{# One row per contact, in its newest version. #}

with

versions as (

    select * from {{ ref('stg_crm__contact_versions') }}
    where version = 1

),

final as (

    select
        contact_id,
        first_name,
        last_name,
        email,
        phone,
        birth_date,
        gender,
        job_title,
        street,
        city,
        postcode,
        country,
        loyalty_number,
        created_at,
        updated_at
    from versions

)

select * from final
