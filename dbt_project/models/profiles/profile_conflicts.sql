{# One row per customer, field and value where records of the customer disagree. #}

with

profile_values as (

    select * from {{ ref('profile_values') }}

),

fields as (

    select
        customer_id,
        field,
        max(case when preference = 1 then value end) as chosen_value,
        count(*) as competing_values
    from profile_values
    group by customer_id, field

),

final as (

    select
        profile_values.customer_id,
        profile_values.field,
        profile_values.value,
        coalesce(profile_values.preference = 1, false) as is_chosen,
        profile_values.reason,
        profile_values.sources,
        profile_values.records,
        profile_values.votes,
        profile_values.first_told_on,
        profile_values.last_told_on,
        fields.chosen_value
    from profile_values
    inner join fields
        on
            profile_values.customer_id = fields.customer_id
            and profile_values.field = fields.field
    where fields.competing_values > 1

)

select * from final
