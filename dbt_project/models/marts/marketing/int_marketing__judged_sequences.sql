{#
One row per two products that had a fair chance to meet and did, with how surprising it is.

What chance makes of it: each place in the windows of X is taken by Y with Y's share of all first
purchases of its kind. So neither a season, nor a launch, nor what the stores alone sell, nor a
customer who buys a lot, nor one who buys little at a time, is taken for a rule: what is bought alone
has other chances than what goes along in a basket of fifty.

If X brings no Y, purchases of Y are drawn into its windows without replacement, kind by kind: a sum
of independent chances, of at most as many as there are places and purchases. Which pairs are tested
is decided by the products' sizes alone, never by what was found.
#}

with

followed as (

    select * from {{ ref('int_marketing__followed_products') }}

),

purchases_by_kind as (

    select * from {{ ref('int_marketing__purchases_by_kind') }}

),

places_by_kind as (

    select * from {{ ref('int_marketing__places_by_kind') }}

),

places as (

    select
        first_product_id,
        sum(places) as places
    from places_by_kind
    group by first_product_id

),

all_purchases as (

    select sum(purchases) as purchases from purchases_by_kind

),

shares as (

    select
        purchases_by_kind.product_id,
        sum(purchases_by_kind.purchases) / max(all_purchases.purchases) as share_of_all
    from purchases_by_kind
    cross join all_purchases
    where purchases_by_kind.buyers >= {{ var('rule_min_buyers') }}
    group by purchases_by_kind.product_id

),

tested as (

    select count(*) as pairs
    from places
    inner join shares
        on
            places.first_product_id <> shares.product_id
            and places.places * shares.share_of_all >= {{ var('rule_min_expected') }}

),

chances as (

    select
        followed.first_product_id,
        followed.then_product_id,
        max(followed.customers) as customers,
        round(sum(
            places_by_kind.places
            * purchases_by_kind.purchases / purchases_by_kind.purchases_of_kind
        ), 9) as expected_customers,
        sum(least(places_by_kind.places, purchases_by_kind.purchases)) as most_customers
    from followed
    inner join places_by_kind on followed.first_product_id = places_by_kind.first_product_id
    inner join purchases_by_kind
        on
            followed.then_product_id = purchases_by_kind.product_id
            and places_by_kind.kind = purchases_by_kind.kind
    group by followed.first_product_id, followed.then_product_id

),

final as (

    select
        chances.first_product_id,
        chances.then_product_id,
        chances.customers,
        chances.expected_customers,
        tested.pairs as pairs_tested,
        {{ binomial_tail(
            'chances.customers', 'chances.most_customers', 'chances.expected_customers'
        ) }} as p_value
    from chances
    cross join tested
    inner join places on chances.first_product_id = places.first_product_id
    inner join shares on chances.then_product_id = shares.product_id
    where places.places * shares.share_of_all >= {{ var('rule_min_expected') }}

)

select * from final
