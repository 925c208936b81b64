{# One row per pair of records and evidence that they are one person. #}

with

records as (

    select * from {{ source('identity', 'record_customers') }}

),

exact_pairs as (

    select * from {{ source('identity', 'exact_pairs') }}

),

likely_pairs as (

    select * from {{ source('identity', 'likely_pairs') }}

),

decisions as (

    select * from {{ source('identity', 'override_state') }}

),

identifier_types as (

    select * from {{ ref('identifier_types') }}

),

shared as (

    select
        exact_pairs.a,
        exact_pairs.b,
        exact_pairs.type_no,
        count(*) as shared_values
    from exact_pairs
    group by exact_pairs.a, exact_pairs.b, exact_pairs.type_no

),

evidence as (

    select
        shared.a,
        shared.b,
        'shared ' || identifier_types.identifier_type as evidence,
        shared.shared_values * identifier_types.weight * identifier_types.trust as weight
    from shared
    inner join identifier_types on shared.type_no = identifier_types.priority
    union all
    select
        a,
        b,
        'likely' as evidence,
        weight
    from likely_pairs
    where weight > 0
    union all
    select
        a,
        b,
        'decision' as evidence,
        null as weight
    from decisions
    where kind = 'link'

),

final as (

    select
        one.record_key as record_a,
        other.record_key as record_b,
        evidence.evidence,
        evidence.weight,
        one.customer_id,
        one.customer_id = other.customer_id as is_followed,
        one.rules_version
    from evidence
    inner join records as one on evidence.a = one.record_no
    inner join records as other on evidence.b = other.record_no

)

select * from final
