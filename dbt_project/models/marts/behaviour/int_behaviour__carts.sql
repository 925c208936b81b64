{# One row per visit that put something into the cart and left it there: how many products. #}
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_behaviour__events') }}
    where
        event_name in ('Product Added', 'Product Removed') and not is_bot and not is_internal

),

products as (

    select
        session_id,
        stock_code,
        {{ last_row(['event_name'], ['occurred_at', 'message_id']) }} as latest
    from events
    group by session_id, stock_code

),

final as (

    select
        products.session_id,
        count(*) as products_kept
    from products
    where products.latest.event_name = 'Product Added'
    group by products.session_id

)

select * from final
