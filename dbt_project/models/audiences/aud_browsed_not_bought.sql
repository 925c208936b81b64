{# One row per customer who looked at a product twice within 30 days and has not bought it since. #}

with

events as (

    select * from {{ ref('fct_events') }}
    where
        event_name = 'Product Viewed'
        and customer_id is not null
        and not is_bot
        and not is_internal

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and customer_id is not null

),

as_of as (

    select * from {{ ref('as_of') }}

),

viewed as (

    select
        events.customer_id,
        events.product_id,
        count(*) as views,
        min(events.occurred_at) as first_viewed_at
    from events
    cross join as_of
    where cast(events.occurred_at as date) > as_of.as_of - interval '30' day
    group by events.customer_id, events.product_id
    having count(*) >= 2

),

{# A product that was bought after the first look is no longer wished for, in whatever channel. #}
still_wished_for as (

    select
        viewed.customer_id,
        viewed.product_id
    from viewed
    left join order_lines
        on
            viewed.customer_id = order_lines.customer_id
            and viewed.product_id = order_lines.product_id
            and viewed.first_viewed_at <= order_lines.ordered_at
    where order_lines.order_line_id is null

),

candidates as (

    select
        customer_id,
        concat_ws(' ', 'looked at product', min(product_id), 'and did not buy it') as reason
    from still_wished_for
    group by customer_id

),

final as (

    {{ with_consent('candidates', purpose='marketing', channel='email') }}

)

select * from final
