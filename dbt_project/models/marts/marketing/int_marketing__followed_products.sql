{#
One row per product and another that several customers bought after it, with how many would have by
chance.

What chance makes of it: each place in the windows of X is taken by Y with Y's share of all first
purchases of that week and channel in baskets of about that size. So neither a season, nor a launch,
nor what the stores alone sell, nor a customer who buys a lot, nor one who buys little at a time, is
taken for a rule: what is bought alone has other chances than what goes along in a basket of fifty.
#}

with

purchases as (

    select * from {{ ref('int_marketing__first_purchases') }}

),

places as (

    select * from {{ ref('int_marketing__places') }}

),

places_of_week as (

    select
        first_product_id,
        week,
        channel,
        basket_class,
        count(*) as places
    from places
    group by first_product_id, week, channel, basket_class

),

weeks as (

    select
        week,
        channel,
        basket_class,
        count(*) as purchases
    from purchases
    group by week, channel, basket_class

),

shares as (

    select
        purchases.product_id,
        purchases.week,
        purchases.channel,
        purchases.basket_class,
        count(*) / max(weeks.purchases) as share_of_week
    from purchases
    inner join weeks
        on
            purchases.week = weeks.week
            and purchases.channel = weeks.channel
            and purchases.basket_class = weeks.basket_class
    where purchases.buyers >= {{ var('rule_min_buyers') }}
    group by purchases.product_id, purchases.week, purchases.channel, purchases.basket_class

),

followed as (

    select
        first_product_id,
        then_product_id,
        count(*) as customers,
        median(gap_seconds) as median_gap_seconds
    from places
    where is_candidate
    group by first_product_id, then_product_id
    having count(*) >= {{ var('rule_min_customers') }}

),

final as (

    select
        followed.first_product_id,
        followed.then_product_id,
        max(followed.customers) as customers,
        max(followed.median_gap_seconds) as median_gap_seconds,
        round(sum(places_of_week.places * shares.share_of_week), 9) as expected_customers
    from followed
    inner join places_of_week on followed.first_product_id = places_of_week.first_product_id
    inner join shares
        on
            followed.then_product_id = shares.product_id
            and places_of_week.week = shares.week
            and places_of_week.channel = shares.channel
            and places_of_week.basket_class = shares.basket_class
    group by followed.first_product_id, followed.then_product_id

)

select * from final
