{# One row per pair of records that evidence would join and that are two customers: why. #}

with

links as (

    select * from {{ ref('identity_links') }}
    where not is_followed

),

records as (

    select * from {{ source('identity', 'record_customers') }}

),

rejected_pairs as (

    select * from {{ source('identity', 'rejected_pairs') }}

),

against as (

    select * from {{ source('identity', 'likely_pairs') }}
    where weight < 0

),

cuts as (

    select * from {{ source('identity', 'override_state') }}
    where kind = 'cut'

),

pairs as (

    select
        record_a,
        record_b,
        sum(weight) as weight
    from links
    group by record_a, record_b

),

{# A pair that more speaks against than for, or that is cut, was never tried: nobody refused it. #}
final as (

    select
        pairs.record_a,
        pairs.record_b,
        one.customer_id,
        other.customer_id as other_customer_id,
        case
            when cuts.kind is not null then 'cut'
            else coalesce(rejected_pairs.reason, 'net evidence')
        end as reason,
        pairs.weight + coalesce(against.weight, 0) as weight,
        one.rules_version
    from pairs
    inner join records as one on pairs.record_a = one.record_key
    inner join records as other on pairs.record_b = other.record_key
    left join rejected_pairs
        on one.record_no = rejected_pairs.a and other.record_no = rejected_pairs.b
    left join cuts on one.record_no = cuts.a and other.record_no = cuts.b
    left join against on one.record_no = against.a and other.record_no = against.b

)

select * from final
