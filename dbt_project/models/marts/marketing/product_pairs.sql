{#
One row per two products that meet on one order much more often than chance (complements), or two
of one category that meet much less often (substitutes: either may do).

Products of two categories that seldom meet have other buyers, and do not stand for each other.

Corrected for every two products that sell enough, whether they met or not, and for both questions.
#}

with

judged as (

    select * from {{ ref('int_marketing__judged_pairs') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

discoveries as (

    {{ discoveries('judged', 'questions_tested') }}

),

measured as (

    select
        *,
        {{ byar_bound('customers', -1.96) }} / expected_customers as lift_low,
        {{ byar_bound('customers + 1', 1.96) }} / expected_customers as lift_high
    from discoveries

),

final as (

    select
        measured.product_id,
        measured.other_product_id,
        product.product_name,
        other_product.product_name as other_product_name,
        case
            when measured.lift_low >= {{ var('pair_least_lift') }} then 'complement'
            else 'substitute'
        end as relation,
        measured.orders as support,
        measured.customers,
        round(measured.customers / measured.expected_customers, 4) as lift,
        round(measured.lift_low, 4) as lift_low,
        round(measured.lift_high, 4) as lift_high,
        measured.q_value
    from measured
    inner join products as product on measured.product_id = product.product_id
    inner join products as other_product
        on measured.other_product_id = other_product.product_id
    where
        measured.lift_low >= {{ var('pair_least_lift') }}
        or (
            measured.lift_high * {{ var('pair_least_lift') }} <= 1
            and product.category = other_product.category
        )

)

select * from final
