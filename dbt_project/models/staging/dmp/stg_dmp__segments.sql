{# One row per anonymous person and segment, by the latest drop; expired ones are out. #}

with

source as (

    select * from {{ source('raw_dmp', 'segments') }}

),

renamed as (

    select
        {{ clean_text('dmp_id') }} as dmp_id,
        lower({{ clean_text('email_sha256') }}) as email_sha256,
        lower({{ clean_text('segment') }}) as segment,
        score,
        collected_on,
        coalesce(expires_on, cast(collected_on + interval '30' day as date)) as expires_on,
        row_number() over (
            partition by trim(dmp_id), lower(trim(segment))
            order by collected_on desc, _dlt_load_id desc, origin desc
        ) as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1 and expires_on > {{ today() }}

)

select * from deduplicated
