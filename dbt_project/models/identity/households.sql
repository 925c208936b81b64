{# One row per customer who shares a mailbox, phone or address with others: their household. #}

with

household_groups as (

    select * from {{ ref('int_identity__household_groups') }}

),

final as (

    select
        'cus_' || lpad(cast(node as string), 8, '0') as customer_id,
        'hh_' || lpad(cast(component as string), 8, '0') as household_id,
        count(*) over (partition by component) as customers
    from household_groups

)

select * from final
