{# One row per consent decision, in its newest version. #}

with

source as (

    select * from {{ source('raw_crm', 'consents') }}

),

renamed as (

    select
        consent_id,
        cast(contact_id as string) as contact_id,
        lower({{ clean_text('purpose') }}) as purpose,
        lower({{ clean_text('channel') }}) as channel,
        coalesce(is_granted, false) as is_granted,
        cast(decided_at as timestamp) as decided_at,
        {{ version_of('consent_id') }} as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
