{# One row per version of a user of the help desk that was loaded; the newest is number 1. #}

with

source as (

    select * from {{ source('raw_support', 'users') }}

),

renamed as (

    select
        lower({{ clean_text('user_id') }}) as support_user_id,
        {{ clean_text('name') }} as full_name,
        {{ normalise_email('email') }} as email,
        {{ clean_text('phone') }} as phone,
        cast(created_at as timestamp) as created_at,
        cast(updated_at as timestamp) as updated_at,
        {{ time_of_load('_dlt_load_id') }} as loaded_at,
        {{ version_of('lower(trim(user_id))') }} as version
    from source

)

select * from renamed
