{# One row per version of a customer account that was loaded; the newest is number 1. #}

with

source as (

    select * from {{ source('raw_shop', 'accounts') }}

),

renamed as (

    select
        cast(user_id as string) as user_id,
        {{ normalise_email('email') }} as email,
        {{ clean_text('first_name') }} as first_name,
        {{ clean_text('last_name') }} as last_name,
        {{ clean_text('phone') }} as phone,
        {{ clean_text('street') }} as street,
        {{ clean_text('city') }} as city,
        {{ clean_text('postcode') }} as postcode,
        {{ clean_text('country') }} as country,
        coalesce(accepts_marketing, false) as accepts_marketing,
        cast(created_at as timestamp) as created_at,
        cast(updated_at as timestamp) as updated_at,
        {{ time_of_load('_dlt_load_id') }} as loaded_at,
        row_number() over (
            partition by user_id order by updated_at desc, _dlt_load_id desc, origin asc nulls last
        ) as version
    from source

)

select * from renamed
