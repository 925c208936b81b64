{# One row per customer id that was merged away: the id that stands for the person now. #}

with

customers as (

    select * from {{ ref('customers') }}

),

final as (

    select
        customer_id as old_customer_id,
        merged_into as customer_id
    from customers
    where status = 'merged'

)

select * from final
