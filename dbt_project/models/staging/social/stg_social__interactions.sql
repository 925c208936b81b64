{# One row per interaction on a social network, in its newest version. #}

with

source as (

    select * from {{ source('raw_social', 'interactions') }}

),

renamed as (

    select
        {{ clean_text('interaction_id') }} as interaction_id,
        lower(trim(network) || '/' || trim(handle)) as social_handle,
        lower({{ clean_text('network') }}) as network,
        lower({{ clean_text('kind') }}) as kind,
        {{ clean_text('post_id') }} as post_id,
        {{ clean_text('text') }} as message,
        cast(occurred_at as timestamp) as occurred_at,
        cast(updated_at as timestamp) as updated_at,
        {{ version_of('trim(interaction_id)') }} as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
