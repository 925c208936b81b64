{#
One row per rule kept by Benjamini and Hochberg, over every two products that had a fair chance to
meet, whether they did or not: of those kept, at most the share `rule_false_discoveries` is false.
#}

with

judged as (

    select * from {{ ref('int_marketing__judged_sequences') }}

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

final as (

    select
        first_product_id,
        then_product_id,
        customers,
        expected_customers,
        q_value
    from corrected
    where q_value <= {{ var('rule_false_discoveries') }}

)

select * from final
