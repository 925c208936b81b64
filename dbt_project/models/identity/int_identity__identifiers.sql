{# One row per record and identifier, normalised; blocked ones carry the reason. #}

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

blocked_values as (

    select * from {{ ref('blocked_values') }}

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

typed as (

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

),

blocked as (

    select
        typed.identifier_type,
        typed.identifier_value,
        min(blocked_values.reason) as blocked_reason
    from typed
    inner join blocked_values
        on
            typed.identifier_type = blocked_values.identifier_type
            and (
                typed.identifier_value = blocked_values.pattern
                or (
                    blocked_values.is_regex
                    and {{ matches('typed.identifier_value', 'blocked_values.pattern') }}
                )
            )
    group by typed.identifier_type, typed.identifier_value

),

{# A device that was handed on points to more than one person; its periods point to one each. #}
handed_on as (

    select distinct
        'anonymous_id' as identifier_type,
        anonymous_id as identifier_value
    from device_periods
    where is_handed_on

),

final as (

    select
        typed.record_key,
        typed.identifier_type,
        typed.identifier_value,
        coalesce(
            blocked.blocked_reason,
            case when handed_on.identifier_value is not null then 'handed on' end
        ) as blocked_reason,
        typed.first_seen_at,
        typed.last_seen_at
    from typed
    left join blocked
        on
            typed.identifier_type = blocked.identifier_type
            and typed.identifier_value = blocked.identifier_value
    left join handed_on
        on
            typed.identifier_type = handed_on.identifier_type
            and typed.identifier_value = handed_on.identifier_value

)

select * from final
