{# One row per version of an order of a guest that was loaded; the newest is number 1. #}

with

source as (

    select * from {{ source('raw_shop', 'order_contacts') }}

),

renamed as (

    select
        {{ clean_text('invoice') }} as order_id,
        {{ normalise_email('email') }} as email,
        {{ clean_text('first_name') }} as first_name,
        {{ clean_text('last_name') }} as last_name,
        {{ clean_text('phone') }} as phone,
        {{ clean_text('street') }} as street,
        {{ clean_text('city') }} as city,
        {{ clean_text('postcode') }} as postcode,
        {{ clean_text('country') }} as country,
        cast(ordered_at as timestamp) as ordered_at,
        {{ time_of_load('_dlt_load_id') }} as loaded_at,
        row_number() over (
            partition by trim(invoice) order by ordered_at desc, _dlt_load_id desc, origin desc
        ) as version
    from source

)

select * from renamed
