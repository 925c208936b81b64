{# One row per version of a profile on one social network loaded; the newest is number 1. #}

with

source as (

    select * from {{ source('raw_social', 'profiles') }}

),

renamed as (

    select
        lower(trim(network) || '/' || trim(handle)) as social_handle,
        lower({{ clean_text('network') }}) as network,
        lower({{ clean_text('handle') }}) as handle,
        {{ clean_text('display_name') }} as display_name,
        {{ normalise_email('email') }} as email,
        {{ clean_text('url') }} as url,
        cast(updated_at as timestamp) as updated_at,
        {{ time_of_load('_dlt_load_id') }} as loaded_at,
        {{ version_of("lower(trim(network) || '/' || trim(handle))") }} as version
    from source

)

select * from renamed
