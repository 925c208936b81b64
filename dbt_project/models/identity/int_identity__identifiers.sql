{# One row per record and identifier, normalised; blocked ones carry the reason. #}

with

given_identifiers as (

    select * from {{ ref('int_identity__given_identifiers') }}

),

blocked as (

    select * from {{ ref('int_identity__blocked_identifiers') }}

),

device_periods as (

    select * from {{ ref('device_periods') }}

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
        given_identifiers.record_key,
        given_identifiers.identifier_type,
        given_identifiers.identifier_value,
        coalesce(
            blocked.blocked_reason,
            case when handed_on.identifier_value is not null then 'handed on' end
        ) as blocked_reason,
        given_identifiers.first_seen_at,
        given_identifiers.last_seen_at
    from given_identifiers
    left join blocked
        on
            given_identifiers.identifier_type = blocked.identifier_type
            and given_identifiers.identifier_value = blocked.identifier_value
    left join handed_on
        on
            given_identifiers.identifier_type = handed_on.identifier_type
            and given_identifiers.identifier_value = handed_on.identifier_value

)

select * from final
