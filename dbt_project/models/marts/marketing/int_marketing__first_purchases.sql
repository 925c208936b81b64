{#
One row per customer and product they ever bought, with when and where they first did.

Purchases of one kind are alike but for the product: of one week and channel, in baskets of about
the same size, by customers who had bought about as many products before: who has all that is popular
buys what is rare. Both are counted in steps of four times as many.
#}

with

order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where line_class = 'sale' and is_counted and customer_id is not null

),

firsts as (

    select
        customer_id,
        product_id,
        {{ first_row(['ordered_at', 'channel'], ['ordered_at', 'channel']) }} as bought
    from order_lines
    group by customer_id, product_id

),

dated as (

    select
        firsts.customer_id,
        firsts.product_id,
        firsts.bought.channel,
        firsts.bought.ordered_at as bought_at,
        count(*) over (partition by firsts.product_id) as buyers
    from firsts

),

baskets as (

    select
        customer_id,
        bought_at,
        count(*) as products,
        coalesce(sum(count(*)) over (
            partition by customer_id
            order by bought_at asc nulls last
            rows between unbounded preceding and 1 preceding
        ), 0) as products_before
    from dated
    group by customer_id, bought_at

),

classed as (

    select
        dated.*,
        cast(date_trunc('week', dated.bought_at) as date) as week,
        cast(floor(log2(baskets.products) / 2) as bigint) as basket_class,
        cast(floor(log2(1 + baskets.products_before) / 2) as bigint) as history_class
    from dated
    inner join baskets
        on dated.customer_id = baskets.customer_id and dated.bought_at = baskets.bought_at

),

kinds as (

    select
        week,
        channel,
        basket_class,
        history_class,
        cast(row_number() over (
            order by
                week asc nulls last,
                channel asc nulls last,
                basket_class asc nulls last,
                history_class asc nulls last
        ) as bigint) as kind,
        count(*) as purchases
    from classed
    group by week, channel, basket_class, history_class

),

final as (

    select
        classed.customer_id,
        classed.product_id,
        classed.bought_at,
        classed.buyers,
        kinds.kind,
        kinds.purchases as purchases_of_kind
    from classed
    inner join kinds
        on
            classed.week = kinds.week
            and classed.channel = kinds.channel
            and classed.basket_class = kinds.basket_class
            and classed.history_class = kinds.history_class

)

select * from final
