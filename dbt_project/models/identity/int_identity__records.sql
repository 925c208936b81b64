{# One row per record: one source's view of a person, in one shape. #}

with

accounts as (

    select * from {{ ref('stg_shop__accounts') }}

),

order_lines as (

    select * from {{ ref('stg_shop__order_lines') }}
    where user_id is not null

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

receipt_lines as (

    select * from {{ ref('stg_pos__receipt_lines') }}
    where loyalty_number is not null

),

events as (

    select * from {{ ref('stg_web__events') }}
    where not is_bot

),

buyers as (

    select
        user_id,
        max(country) as country,
        max(ordered_at) as last_seen_at
    from order_lines
    group by user_id

),

shop_records as (

    select
        'shop:account:' || coalesce(accounts.user_id, buyers.user_id) as record_key,
        'shop' as source,
        coalesce(accounts.user_id, buyers.user_id) as source_key,
        accounts.first_name,
        accounts.last_name,
        accounts.email,
        accounts.phone,
        cast(null as date) as birth_date,
        cast(null as string) as gender,
        accounts.street,
        accounts.city,
        accounts.postcode,
        coalesce(accounts.country, buyers.country) as country,
        coalesce(accounts.updated_at, buyers.last_seen_at) as seen_at
    from accounts
    full outer join buyers on accounts.user_id = buyers.user_id

),

crm_records as (

    select
        'crm:contact:' || contact_id as record_key,
        'crm' as source,
        contact_id as source_key,
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
        updated_at as seen_at
    from contacts

),

bare_records as (

    select
        'pos:card:' || loyalty_number as record_key,
        'pos' as source,
        loyalty_number as source_key,
        cast(null as string) as email,
        max(sold_at) as seen_at
    from receipt_lines
    group by loyalty_number
    union all
    select
        'web:visitor:' || anonymous_id as record_key,
        'web' as source,
        anonymous_id as source_key,
        cast(null as string) as email,
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
        max(occurred_at) as seen_at
    from events
    where user_id is not null
    group by user_id

),

final as (

    select * from shop_records
    union all
    select * from crm_records
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
        seen_at
    from bare_records

)

select * from final
