{# One row per rule that is kept, of every two products that had a fair chance to meet. #}

with

judged as (

    select * from {{ ref('int_marketing__judged_sequences') }}

),

discoveries as (

    {{ discoveries('judged', 'pairs_tested') }}

),

final as (

    select
        first_product_id,
        then_product_id,
        customers,
        expected_customers,
        q_value
    from discoveries

)

select * from final
