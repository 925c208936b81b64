{# One row per ad and day, in the newest restatement. #}

with

source as (

    select * from {{ source('raw_ads', 'insights') }}

),

renamed as (

    select
        {{ clean_text('insight_id') }} as insight_id,
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('ad_id') }} as ad_id,
        date as reported_on,
        lower({{ clean_text('platform') }}) as platform,
        impressions,
        clicks,
        cast(spend as decimal(18, 4)) as spend,
        upper({{ clean_text('currency') }}) as currency,
        cast(updated_at as timestamp) as updated_at,
        {{ version_of('trim(insight_id)') }} as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
