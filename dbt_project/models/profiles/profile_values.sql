{# One row per customer, field and value that some record claims, ranked by trust and recency. #}

with

records as (

    select * from {{ ref('int_identity__records') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

identifiers as (

    select * from {{ ref('int_identity__identifiers') }}
    where identifier_type in ('email', 'phone') and blocked_reason is null

),

source_trust as (

    select * from {{ ref('source_trust') }}

),

claims as (
    {% for field in [
        'first_name', 'last_name', 'birth_date', 'gender', 'street', 'city', 'postcode', 'country'
    ] %}
    select
        record_key,
        '{{ field }}' as field,
        cast({{ field }} as string) as value
    from records
    where {{ field }} is not null
    union all
    {% endfor %}
    select
        record_key,
        identifier_type as field,
        identifier_value as value
    from identifiers

),

attributed as (

    select
        identity_map.customer_id,
        claims.field,
        claims.value,
        records.source,
        claims.record_key,
        records.seen_at,
        source_trust.trust
    from claims
    inner join records on claims.record_key = records.record_key
    inner join identity_map on claims.record_key = identity_map.record_key
    left join source_trust on records.source = source_trust.source

),

final as (

    select
        *,
        row_number() over (
            partition by customer_id, field
            order by
                trust desc nulls last,
                seen_at desc nulls last,
                value asc nulls last,
                record_key asc nulls last
        ) as preference
    from attributed

)

select * from final
