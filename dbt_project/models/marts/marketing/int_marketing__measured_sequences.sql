{#
One row per kept rule, with its lift and half the width of the interval of its logarithm (95 %).

The lift is the common odds ratio of Mantel and Haenszel (1959) over all kinds of purchases: the
followers against what their places would hold if Y were as frequent there as outside the windows of
X, where the rule brings nothing. The variance is that of Robins, Breslow and Greenland (1986).
#}

with

kept as (

    select * from {{ ref('int_marketing__kept_sequences') }}

),

tables as (

    select * from {{ ref('int_marketing__rule_tables') }}

),

weighted as (

    select
        first_product_id,
        then_product_id,
        (followers + rest) / purchases_of_kind as agreeing,
        (others + elsewhere) / purchases_of_kind as differing,
        followers * rest / purchases_of_kind as above,
        others * elsewhere / purchases_of_kind as below
    from tables

),

sums as (

    select
        first_product_id,
        then_product_id,
        sum(above) as above,
        nullif(sum(below), 0) as below,
        sum(agreeing * above) as agreeing_above,
        sum(agreeing * below + differing * above) as crossed,
        sum(differing * below) as differing_below
    from weighted
    group by first_product_id, then_product_id

),

{# Where nobody else buys Y, what chance makes of all purchases, the rule's among them, must do. #}
final as (

    select
        kept.first_product_id,
        kept.then_product_id,
        kept.customers,
        kept.q_value,
        round(
            coalesce(sums.above / sums.below, kept.customers / kept.expected_customers), 9
        ) as lift,
        round(1.96 * sqrt(coalesce(
            sums.agreeing_above / (2 * sums.above * sums.above)
            + sums.crossed / (2 * sums.above * sums.below)
            + sums.differing_below / (2 * sums.below * sums.below),
            1 / kept.customers
        )), 9) as deviation
    from kept
    inner join sums
        on
            kept.first_product_id = sums.first_product_id
            and kept.then_product_id = sums.then_product_id

)

select * from final
