{#
One row per two products that meet on one order much more often than chance (complements), or two
of one category that meet much less often (substitutes: either may do).

Products of two categories that seldom meet have other buyers, and do not stand for each other.

Corrected by Benjamini and Hochberg over every two products that sell enough, whether they met or
not, and for both questions: of those listed, at most the share `rule_false_discoveries` is false.
#}

with

judged as (

    select * from {{ ref('int_marketing__judged_pairs') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

ranked as (

    select
        *,
        p_value * questions_tested / rank() over (order by p_value asc nulls last) as adjusted,
        {{ byar_bound('customers', -1.96) }} / expected_customers as lift_low,
        {{ byar_bound('customers + 1', 1.96) }} / expected_customers as lift_high
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

final as (

    select
        corrected.product_id,
        corrected.other_product_id,
        product.product_name,
        other_product.product_name as other_product_name,
        case
            when corrected.lift_low >= {{ var('pair_least_lift') }} then 'complement'
            else 'substitute'
        end as relation,
        corrected.orders as support,
        corrected.customers,
        round(corrected.customers / corrected.expected_customers, 4) as lift,
        round(corrected.lift_low, 4) as lift_low,
        round(corrected.lift_high, 4) as lift_high,
        corrected.q_value
    from corrected
    inner join products as product on corrected.product_id = product.product_id
    inner join products as other_product
        on corrected.other_product_id = other_product.product_id
    where
        corrected.q_value <= {{ var('rule_false_discoveries') }}
        and (
            corrected.lift_low >= {{ var('pair_least_lift') }}
            or (
                corrected.lift_high * {{ var('pair_least_lift') }} <= 1
                and product.category = other_product.category
            )
        )

)

select * from final
