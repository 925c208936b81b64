{# One row per record: one source's view of a person, in one shape. #}

with

named_records as (

    select * from {{ ref('int_identity__named_records') }}

),

receipt_lines as (

    select * from {{ ref('stg_pos__receipt_lines') }}
    where loyalty_number is not null

),

events as (

    select * from {{ ref('stg_web__events') }}
    where not is_bot and not is_internal

),

device_periods as (

    select * from {{ ref('device_periods') }}

),

bare_records as (

    select
        'pos:card:' || loyalty_number as record_key,
        'pos' as source,
        loyalty_number as source_key,
        cast(null as string) as email,
        min(sold_at) as first_seen_at,
        max(sold_at) as seen_at
    from receipt_lines
    group by loyalty_number
    union all
    select
        device_periods.record_key,
        'web' as source,
        device_periods.anonymous_id as source_key,
        device_periods.email,
        min(events.occurred_at) as first_seen_at,
        max(events.occurred_at) as seen_at
    from device_periods
    inner join events on {{ in_device_period('events', 'device_periods') }}
    group by device_periods.record_key, device_periods.anonymous_id, device_periods.email
    union all
    select
        'web:user:' || user_id as record_key,
        'web' as source,
        user_id as source_key,
        max(email) as email,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as seen_at
    from events
    where user_id is not null
    group by user_id

),

final as (

    select
        record_key,
        source,
        source_key,
        first_name,
        last_name,
        email,
        phone,
        birth_date,
        gender,
        street,
        city,
        postcode,
        country,
        first_seen_at,
        seen_at
    from named_records
    union all
    select
        record_key,
        source,
        source_key,
        null as first_name,
        null as last_name,
        email,
        null as phone,
        null as birth_date,
        null as gender,
        null as street,
        null as city,
        null as postcode,
        null as country,
        first_seen_at,
        seen_at
    from bare_records

)

select * from final
