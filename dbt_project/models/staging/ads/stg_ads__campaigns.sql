{# One row per advertising campaign, in its newest version. #}

with

source as (

    select * from {{ source('raw_ads', 'campaigns') }}

),

renamed as (

    select
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('name') }} as campaign_name,
        lower({{ clean_text('platform') }}) as platform,
        lower({{ clean_text('channel') }}) as channel,
        lower({{ clean_text('objective') }}) as objective,
        upper({{ clean_text('currency') }}) as currency,
        started_on,
        ended_on,
        cast(updated_at as timestamp) as updated_at,
        {{ version_of('trim(campaign_id)') }} as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
