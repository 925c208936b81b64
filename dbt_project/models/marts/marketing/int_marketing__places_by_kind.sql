{# One row per product X and kind of purchase: how many places its windows have. #}

with

places as (

    select * from {{ ref('int_marketing__places') }}

),

final as (

    select
        first_product_id,
        kind,
        count(*) as places
    from places
    group by first_product_id, kind

)

select * from final
