{# One row per version of a profile of the e-mail tool that was loaded; the newest is number 1. #}

with

source as (

    select * from {{ source('raw_email', 'profiles') }}

),

renamed as (

    select
        lower({{ clean_text('profile_id') }}) as profile_id,
        {{ normalise_email('email') }} as email,
        {{ clean_text('first_name') }} as first_name,
        {{ clean_text('last_name') }} as last_name,
        {{ clean_text('phone') }} as phone,
        {{ clean_text('country') }} as country,
        coalesce(is_subscribed, false) as is_subscribed,
        cast(created_at as timestamp) as created_at,
        cast(updated_at as timestamp) as updated_at,
        {{ time_of_load('_dlt_load_id') }} as loaded_at,
        {{ version_of('lower(trim(profile_id))') }} as version
    from source

)

select * from renamed
