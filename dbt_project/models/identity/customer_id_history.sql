{# One row per customer id and status that it has had, with the time in which it held. #}

with

history as (

    select * from {{ source('identity', 'customer_id_statuses') }}

),

final as (

    select
        customer_id,
        status,
        merged_into,
        valid_from,
        lead(valid_from)
            over (partition by customer_id order by refresh asc nulls last)
            as valid_until
    from history

)

select * from final
