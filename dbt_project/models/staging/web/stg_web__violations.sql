{# One row per load, version of the tracking plan, event, rule that was broken and day. #}

with

source as (

    select * from {{ source('raw_web', 'violations') }}

),

renamed as (

    select
        coalesce(source, 'web') as source,
        version as plan_version,
        event_name,
        property,
        rule,
        action,
        coalesce(day, cast({{ time_of_load('_dlt_load_id') }} as date)) as received_on,
        events as event_count,
        coalesce(cast(first_seen_at as timestamp), {{ time_of_load('_dlt_load_id') }})
            as first_seen_at,
        coalesce(cast(last_seen_at as timestamp), {{ time_of_load('_dlt_load_id') }})
            as last_seen_at,
        example_message_id
    from source

)

select * from renamed
