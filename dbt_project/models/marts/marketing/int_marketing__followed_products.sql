{# One row per product X and another, Y, that several customers bought in its windows: how many. #}

with

places as (

    select * from {{ ref('int_marketing__places') }}
    where is_candidate

),

final as (

    select
        first_product_id,
        then_product_id,
        count(*) as customers
    from places
    group by first_product_id, then_product_id
    having count(*) >= {{ var('rule_min_customers') }}

)

select * from final
