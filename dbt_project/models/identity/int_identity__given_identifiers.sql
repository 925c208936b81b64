{# One row per record and identifier that it gives, normalised, whatever it is worth. #}

with

records as (

    select * from {{ ref('int_identity__records') }}

),

phone_numbers as (

    select * from {{ ref('int_identity__phone_numbers') }}
    where phone_e164 is not null

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

device_periods as (

    select * from {{ ref('device_periods') }}

),

{# The key under which a source keeps the record, so that it can be asked for and erased. #}
own_keys as (

    select
        record_key,
        case
            when record_key like 'shop:account:%' or record_key like 'web:user:%' then 'user_id'
            when record_key like 'shop:order:%' then 'order_id'
            when record_key like 'crm:contact:%' then 'contact_id'
            when record_key like 'pos:card:%' then 'loyalty_number'
            when record_key like 'web:visitor:%' then 'anonymous_id'
            when record_key like 'email:profile:%' then 'profile_id'
            when record_key like 'support:user:%' then 'support_user_id'
            when record_key like 'social:profile:%' then 'social_handle'
        end as identifier_type,
        lower(source_key) as identifier_value,
        first_seen_at,
        seen_at as last_seen_at
    from records

),

final as (

    select * from own_keys
    union all
    select
        record_key,
        'email' as identifier_type,
        email as identifier_value,
        first_seen_at,
        seen_at as last_seen_at
    from records
    where email is not null
    union all
    select
        records.record_key,
        'phone' as identifier_type,
        phone_numbers.phone_e164 as identifier_value,
        records.first_seen_at,
        records.seen_at as last_seen_at
    from records
    inner join phone_numbers
        on
            records.phone = phone_numbers.phone
            and records.country is not distinct from phone_numbers.country
    union all
    select
        'crm:contact:' || contact_id as record_key,
        'loyalty_number' as identifier_type,
        loyalty_number as identifier_value,
        created_at as first_seen_at,
        updated_at as last_seen_at
    from contacts
    where loyalty_number is not null
    union all
    select
        records.record_key,
        'user_id' as identifier_type,
        device_periods.user_id as identifier_value,
        records.first_seen_at,
        records.seen_at as last_seen_at
    from records
    inner join device_periods on records.record_key = device_periods.record_key
    where device_periods.user_id is not null

)

select * from final
