{#
One row per rule: who buys X for the first time buys Y within so many days, more often than chance.

Rules are kept by Benjamini and Hochberg over every two products that had a fair chance to meet,
whether they did or not: of those listed, at most the share `rule_false_discoveries` is false.
#}

with

judged as (

    select * from {{ ref('int_marketing__judged_sequences') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

ranked as (

    select
        *,
        p_value * pairs_tested / rank() over (order by p_value asc nulls last) as adjusted
    from judged

),

corrected as (

    select
        *,
        min(adjusted) over (
            order by p_value asc nulls last rows between current row and unbounded following
        ) as q_value
    from ranked

),

{# Byar's interval of a Poisson count, 95 %, as a multiple of what chance makes. #}
final as (

    select
        corrected.first_product_id,
        corrected.then_product_id,
        first_products.product_name as first_product_name,
        then_products.product_name as then_product_name,
        cast({{ var('sequence_days') }} as bigint) as within_days,
        corrected.first_customers,
        corrected.customers as support,
        round(corrected.customers / corrected.first_customers, 6) as probability,
        round(corrected.expected_customers / corrected.first_customers, 6) as base_rate,
        round(corrected.customers / corrected.expected_customers, 4) as lift,
        round({{ byar_bound('corrected.customers', -1.96) }} / corrected.expected_customers, 4)
            as lift_low,
        round({{ byar_bound('corrected.customers + 1', 1.96) }} / corrected.expected_customers, 4)
            as lift_high,
        round((corrected.customers + 3) / (corrected.expected_customers + 3), 4) as cautious_lift,
        round(corrected.median_gap_seconds / 86400, 2) as median_gap_days,
        corrected.q_value
    from corrected
    inner join products as first_products
        on corrected.first_product_id = first_products.product_id
    inner join products as then_products
        on corrected.then_product_id = then_products.product_id
    where corrected.q_value <= {{ var('rule_false_discoveries') }}

)

select * from final
