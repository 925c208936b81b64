{# One row per pair of records that evidence would join and that was refused, with the reason. #}

with

rejected as (

    select * from {{ source('identity', 'rejected_pairs') }}

),

records as (

    select * from {{ source('identity', 'record_customers') }}

),

final as (

    select
        one.record_key as record_a,
        other.record_key as record_b,
        one.customer_id,
        other.customer_id as other_customer_id,
        rejected.reason,
        rejected.weight,
        one.rules_version
    from rejected
    inner join records as one on rejected.a = one.record_no
    inner join records as other on rejected.b = other.record_no

)

select * from final
