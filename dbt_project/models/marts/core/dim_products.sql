{# One row per product ever sold, under the description it bore most often. #}

with

lines as (

    select
        *,
        case when line_class = 'sale' and impossible_time is null then ordered_at end as sold_at
    from {{ ref('int_core__sold_lines') }}
    where line_class in ('sale', 'cancellation')

),

product_categories as (

    select * from {{ ref('product_categories') }}

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

{# A word counts at the start of a word of the name. The first category that fits is taken. #}
categorised as (

    select
        named.product_id,
        product_categories.category,
        product_categories.is_sensitive,
        row_number() over (
            partition by named.product_id
            order by
                product_categories.priority asc nulls last, product_categories.word asc nulls last
        ) as place
    from named
    inner join product_categories
        on
            concat_ws('', ' ', translate(upper(named.description), '-/.,&()', '       '))
            like concat_ws('', '% ', product_categories.word, '%')
    where named.place = 1

),

prices as (

    select
        product_id,
        cast({{ median_amount('unit_price') }} as decimal(18, 3)) as usual_price,
        cast(min(sold_at) as date) as first_sold_on,
        cast(max(sold_at) as date) as last_sold_on,
        cast(sum(quantity) as bigint) as quantity_sold
    from lines
    group by product_id

),

final as (

    select
        prices.product_id,
        named.description as product_name,
        categorised.category,
        coalesce(categorised.is_sensitive, false) as is_sensitive,
        prices.usual_price,
        prices.first_sold_on,
        prices.last_sold_on,
        prices.quantity_sold
    from prices
    inner join named on prices.product_id = named.product_id
    left join categorised
        on prices.product_id = categorised.product_id and categorised.place = 1
    where named.place = 1

)

select * from final
