{#
One row per two products that had a fair chance to meet and did, with how surprising it is.

The p-value is Chernoff's bound for a sum of independent chances, one per customer: it holds for any
number of customers, however small, and is never too low.
#}

with

followed as (

    select * from {{ ref('int_marketing__followed_products') }}

),

purchases as (

    select * from {{ ref('int_marketing__first_purchases') }}
    where buyers >= {{ var('rule_min_buyers') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

places as (

    select
        first_product_id,
        count(*) as places
    from {{ ref('int_marketing__places') }}
    group by first_product_id

),

windows as (

    select
        purchases.product_id,
        count(*) as customers
    from purchases
    cross join as_of
    where
        cast(purchases.bought_at as date) + interval '{{ var("sequence_days") }}' day
        <= as_of.as_of
    group by purchases.product_id

),

all_purchases as (

    select count(*) as purchases from {{ ref('int_marketing__first_purchases') }}

),

shares as (

    select
        purchases.product_id,
        count(*) / max(all_purchases.purchases) as share_of_all
    from purchases
    cross join all_purchases
    group by purchases.product_id

),

{# Which pairs are tested is decided by the products' sizes alone, never by what was found. #}
tested as (

    select count(*) as pairs
    from places
    inner join shares
        on
            places.first_product_id <> shares.product_id
            and places.places * shares.share_of_all >= {{ var('rule_min_expected') }}

),

final as (

    select
        followed.first_product_id,
        followed.then_product_id,
        followed.customers,
        followed.expected_customers,
        followed.median_gap_seconds,
        windows.customers as first_customers,
        tested.pairs as pairs_tested,
        case
            when followed.customers > followed.expected_customers
                then
                    exp(
                        followed.customers - followed.expected_customers
                        - followed.customers
                        * ln(followed.customers / followed.expected_customers)
                    )
            else 1.0
        end as p_value
    from followed
    cross join tested
    inner join windows on followed.first_product_id = windows.product_id
    inner join places on followed.first_product_id = places.first_product_id
    inner join shares on followed.then_product_id = shares.product_id
    where places.places * shares.share_of_all >= {{ var('rule_min_expected') }}

)

select * from final
