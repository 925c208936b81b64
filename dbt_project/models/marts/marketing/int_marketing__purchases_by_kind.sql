{# One row per product and kind of purchase: how many customers first bought it so. #}

with

purchases as (

    select * from {{ ref('int_marketing__first_purchases') }}

),

final as (

    select
        product_id,
        kind,
        max(buyers) as buyers,
        max(purchases_of_kind) as purchases_of_kind,
        count(*) as purchases
    from purchases
    group by product_id, kind

)

select * from final
