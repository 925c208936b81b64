{# One row per product ever sold, under the description it bore most often. #}

with

lines as (

    select * from {{ ref('int_core__sold_lines') }}
    where line_class in ('sale', 'cancellation')

),

descriptions as (

    select
        product_id,
        description,
        count(*) as uses
    from lines
    group by product_id, description

),

named as (

    select
        product_id,
        description,
        row_number() over (
            partition by product_id order by uses desc, description asc nulls last
        ) as place
    from descriptions

),

prices as (

    select
        product_id,
        cast(median(unit_price) as decimal(18, 3)) as usual_price,
        cast(min(ordered_at) as date) as first_sold_on,
        cast(max(ordered_at) as date) as last_sold_on,
        cast(sum(quantity) as bigint) as quantity_sold
    from lines
    group by product_id

),

final as (

    select
        prices.product_id,
        named.description as product_name,
        prices.usual_price,
        prices.first_sold_on,
        prices.last_sold_on,
        prices.quantity_sold
    from prices
    inner join named on prices.product_id = named.product_id
    where named.place = 1

)

select * from final
