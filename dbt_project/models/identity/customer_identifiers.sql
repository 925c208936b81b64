{# One row per customer and identifier: by which values a person can be found. #}

with

identity_map as (

    select * from {{ ref('identity_map') }}

),

identifiers as (

    select * from {{ ref('int_identity__identifiers') }}
    where blocked_reason is null

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
