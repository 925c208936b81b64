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
        'web:visitor:' || anonymous_id as record_key,
        'web' as source,
        anonymous_id as source_key,
        cast(null as string) as email,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as seen_at
    from events
    where anonymous_id is not null
    group by anonymous_id
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
