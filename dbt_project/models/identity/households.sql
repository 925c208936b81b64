{# One row per customer who shares a mailbox, phone or address with others: their household. #}

with

household_groups as (

    select * from {{ ref('int_identity__household_groups') }}

),

digits as (

    select
        cast(node as string) as customer_digits,
        cast(component as string) as household_digits
    from household_groups

),

final as (

    select
        'cus_' || lpad(customer_digits, cast(greatest(8, length(customer_digits)) as int), '0')
            as customer_id,
        'hh_' || lpad(household_digits, cast(greatest(8, length(household_digits)) as int), '0')
            as household_id,
        count(*) over (partition by household_digits) as customers
    from digits

)

select * from final
