{# One row per thing that happened to one message, in its newest version. #}
{{ config(
    materialized='by_key',
    key='event_id',
    inputs={
        'raw_email.events': {
            'key': clean_text('event_id'), 'content': 'event_id', 'loads': '_dlt_load_id'
        }
    }
) }}

with

source as (

    select * from {{ source('raw_email', 'events') }}

),

renamed as (

    select
        {{ clean_text('event_id') }} as event_id,
        lower({{ clean_text('profile_id') }}) as profile_id,
        {{ clean_text('campaign_id') }} as campaign_id,
        lower({{ clean_text('kind') }}) as kind,
        {{ clean_text('url') }} as url,
        cast(occurred_at as timestamp) as occurred_at,
        cast(updated_at as timestamp) as updated_at,
        {{ version_of('trim(event_id)') }} as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
