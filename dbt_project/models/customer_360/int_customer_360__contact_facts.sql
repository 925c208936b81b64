{# One row per customer with e-mails, help and carts: what happened, and what is open. #}

with

messages as (

    select
        customer_id,
        count(sent_at) as emails_sent,
        count(opened_at) as emails_opened,
        count(clicked_at) as emails_clicked
    from {{ ref('fct_email_engagement') }}
    where customer_id is not null
    group by customer_id

),

{# Of a message clicked twice the last click counts. #}
email_clicks as (

    select
        customer_id,
        max(cast(occurred_at as date)) as last_email_click_on
    from {{ ref('fct_touchpoints') }}
    where customer_id is not null and kind = 'email_click'
    group by customer_id

),

tickets as (

    select
        customer_id,
        count(*) as support_contacts,
        count(case when solved_at is null then 1 end) as open_support_contacts,
        max(cast(opened_at as date)) as last_support_on
    from {{ ref('fct_support_contacts') }}
    where customer_id is not null
    group by customer_id

),

carts as (

    select
        customer_id,
        count(*) as abandoned_carts,
        max(cast(began_at as date)) as last_abandoned_cart_on
    from {{ ref('fct_checkouts') }}
    where customer_id is not null and outcome = 'abandoned'
    group by customer_id

),

customers as (

    select customer_id from messages
    union distinct
    select customer_id from tickets
    union distinct
    select customer_id from carts

),

final as (

    select
        customers.customer_id,
        coalesce(messages.emails_sent, 0) as emails_sent,
        coalesce(messages.emails_opened, 0) as emails_opened,
        coalesce(messages.emails_clicked, 0) as emails_clicked,
        email_clicks.last_email_click_on,
        coalesce(tickets.support_contacts, 0) as support_contacts,
        coalesce(tickets.open_support_contacts, 0) as open_support_contacts,
        tickets.last_support_on,
        coalesce(carts.abandoned_carts, 0) as abandoned_carts,
        carts.last_abandoned_cart_on
    from customers
    left join messages on customers.customer_id = messages.customer_id
    left join email_clicks on customers.customer_id = email_clicks.customer_id
    left join tickets on customers.customer_id = tickets.customer_id
    left join carts on customers.customer_id = carts.customer_id

)

select * from final
