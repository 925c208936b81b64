{# One row per customer who is a test account: all of their mailboxes are the company's own. #}

with

emails as (

    select * from {{ ref('customer_identifiers') }}
    where identifier_type = 'email'

),

events as (

    select * from {{ ref('stg_web__events') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

{# What an employee does in the browser is no evidence for identity; who it was counts here. #}
mailboxes as (

    select
        customer_id,
        identifier_value as email
    from emails
    union all
    select distinct
        identity_map.customer_id,
        events.email
    from events
    inner join identity_map on 'web:user:' || events.user_id = identity_map.record_key
    where events.is_internal and events.email is not null

),

final as (

    select customer_id
    from mailboxes
    group by customer_id
    having
        count(*) = sum(
            case when email like '%@{{ var("internal_email_domain") }}' then 1 else 0 end
        )

)

select * from final
