{# One row per customer id that was merged away: the id that stands for the person now. #}

with

history as (

    select * from {{ ref('customer_id_history') }}

),

final as (

    select
        customer_id as old_customer_id,
        merged_into as customer_id,
        valid_from
    from history
    where status = 'merged' and valid_until is null

)

select * from final
