{# One row per customer who is a test account: all of their mailboxes are the company's own. #}

with

emails as (

    select * from {{ ref('customer_identifiers') }}
    where identifier_type = 'email'

),

final as (

    select customer_id
    from emails
    group by customer_id
    having
        count(*) = sum(
            case
                when identifier_value like '%@{{ var("internal_email_domain") }}' then 1 else 0
            end
        )

)

select * from final
