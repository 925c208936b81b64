{#
One row per customer, product and day it was bought on, with what that says about taste.

A price counts as reduced below `reduced_below` of the product's usual one. What is in no category,
or alone in one, is neither cheap nor dear in it. The first day of a customer says nothing about
novelty: everything was new.
#}

with

lines as (

    select * from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and is_counted and customer_id is not null

),

products as (

    select
        product_id,
        usual_price,
        category is not null and count(*) over (partition by category) > 1 as is_comparable,
        rank() over (partition by category order by usual_price asc nulls last) as place,
        count(*) over (partition by category, usual_price) as products_of_price,
        count(*) over (partition by category) as products_of_category
    from {{ ref('dim_products') }}

),

bought as (

    select
        customer_id,
        product_id,
        cast(ordered_at as date) as bought_on,
        min(unit_price) as unit_price
    from lines
    group by customer_id, product_id, cast(ordered_at as date)

),

numbered as (

    select
        *,
        row_number() over (
            partition by customer_id, product_id order by bought_on asc nulls last
        ) as purchase_number,
        min(bought_on) over (partition by customer_id) as first_on
    from bought

),

final as (

    select
        numbered.customer_id,
        numbered.product_id,
        numbered.bought_on,
        case
            when numbered.unit_price < {{ var('reduced_below') }} * products.usual_price then 1
            else 0
        end as discount_affinity,
        {# The share that is dearer, and half of what costs the same: it is neither. #}
        case
            when products.is_comparable
                then
                    cast(
                        1
                        - (products.place - 1 + cast(products.products_of_price as double) / 2)
                        / products.products_of_category
                        as decimal(18, 3)
                    )
        end as price_sensitivity,
        case
            when numbered.bought_on = numbered.first_on then null
            when numbered.purchase_number = 1 then 1
            else 0
        end as novelty
    from numbered
    inner join products on numbered.product_id = products.product_id

)

select * from final
