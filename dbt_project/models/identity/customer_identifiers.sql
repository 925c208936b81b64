{# One row per customer and identifier: by which values a person can be found. #}

with

identity_map as (

    select * from {{ ref('identity_map') }}

),

given_identifiers as (

    select * from {{ ref('int_identity__identifiers') }}

),

counted_decisions as (

    select * from {{ source('identity', 'override_state') }}
    where kind in ('block', 'allow')

),

tool_decisions as (

    select * from {{ source('identity', 'overrides') }}

),

seed_decisions as (

    select * from {{ ref('identity_overrides') }}

),

decisions as (

    select
        counted_decisions.kind,
        coalesce(tool_decisions.identifier_type, seed_decisions.identifier_type)
            as identifier_type,
        coalesce(tool_decisions.identifier_value, seed_decisions.identifier_value)
            as identifier_value
    from counted_decisions
    left join tool_decisions on counted_decisions.override_id = tool_decisions.override_id
    left join seed_decisions on counted_decisions.override_id = seed_decisions.override_id

),

{# What a rule blocks a person may allow, and the other way round. #}
identifiers as (

    select given_identifiers.*
    from given_identifiers
    left join decisions
        on
            given_identifiers.identifier_type = decisions.identifier_type
            and given_identifiers.identifier_value = decisions.identifier_value
    where coalesce(decisions.kind = 'allow', given_identifiers.blocked_reason is null)

),

records as (

    select * from {{ ref('int_identity__records') }}

),

final as (

    select
        identity_map.customer_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        count(*) as records,
        max(records.seen_at) as last_seen_at
    from identifiers
    inner join identity_map on identifiers.record_key = identity_map.record_key
    inner join records on identifiers.record_key = records.record_key
    group by
        identity_map.customer_id, identifiers.identifier_type, identifiers.identifier_value

)

select * from final
