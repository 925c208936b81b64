{# One row per customer id ever given out, and what became of it. #}

with

customer_ids as (

    select * from {{ source('identity', 'customer_ids') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

sizes as (

    select
        customer_id,
        count(*) as records,
        count(distinct source) as sources
    from identity_map
    group by customer_id

),

final as (

    select
        customer_ids.customer_id,
        customer_ids.status,
        customer_ids.merged_into,
        customer_ids.born_refresh,
        coalesce(sizes.records, 0) as records,
        coalesce(sizes.sources, 0) as sources
    from customer_ids
    left join sizes on customer_ids.customer_id = sizes.customer_id

)

select * from final
