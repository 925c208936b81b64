{#
One row per product that a customer bought for the first time after another one, in time.

The first purchase of X opens a window of so many days. Every product that is bought for the first
time in it, later than X, is a place that a product Y may take. Windows that are not over yet are
left out, and so are products X with too few buyers to learn from.
#}
{{ config(materialized='view') }}

with

purchases as (

    select * from {{ ref('int_marketing__first_purchases') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

windows as (

    select
        purchases.customer_id,
        purchases.product_id,
        purchases.bought_at
    from purchases
    cross join as_of
    where
        purchases.buyers >= {{ var('rule_min_buyers') }}
        and cast(purchases.bought_at as date) + interval '{{ var("sequence_days") }}' day
        <= as_of.as_of

),

final as (

    select
        windows.product_id as first_product_id,
        purchases.product_id as then_product_id,
        purchases.week,
        purchases.channel,
        purchases.basket_class,
        {{ epoch_seconds('purchases.bought_at') }} - {{ epoch_seconds('windows.bought_at') }}
            as gap_seconds,
        purchases.buyers >= {{ var('rule_min_buyers') }} as is_candidate
    from windows
    inner join purchases
        on
            windows.customer_id = purchases.customer_id
            and windows.bought_at < purchases.bought_at
            and windows.bought_at + interval '{{ var("sequence_days") }}' day
            >= purchases.bought_at

)

select * from final
