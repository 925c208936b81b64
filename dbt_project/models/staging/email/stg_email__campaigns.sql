{# One row per e-mail campaign, in its newest version. #}

with

source as (

    select * from {{ source('raw_email', 'campaigns') }}

),

renamed as (

    select
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('name') }} as campaign_name,
        {{ clean_text('subject') }} as subject,
        cast(sent_at as timestamp) as sent_at,
        cast(updated_at as timestamp) as updated_at,
        {{ version_of('trim(campaign_id)') }} as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
