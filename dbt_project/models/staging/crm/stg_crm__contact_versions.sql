{# One row per version of a contact that was loaded; the newest is number 1. #}

with

source as (

    select * from {{ source('raw_crm', 'contacts') }}

),

renamed as (

    select
        cast(contact_id as string) as contact_id,
        {{ clean_text('first_name') }} as first_name,
        {{ clean_text('last_name') }} as last_name,
        {{ normalise_email('email') }} as email,
        {{ clean_text('phone') }} as phone,
        birth_date,
        lower({{ clean_text('gender') }}) as gender,
        {{ clean_text('job_title') }} as job_title,
        {{ clean_text('street') }} as street,
        {{ clean_text('city') }} as city,
        {{ clean_text('postcode') }} as postcode,
        {{ clean_text('country') }} as country,
        lower({{ clean_text('loyalty_number') }}) as loyalty_number,
        cast(created_at as timestamp) as created_at,
        cast(updated_at as timestamp) as updated_at,
        {{ time_of_load('_dlt_load_id') }} as loaded_at,
        {{ version_of('contact_id') }} as version
    from source

)

select * from renamed
