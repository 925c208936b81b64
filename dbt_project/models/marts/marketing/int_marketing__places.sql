{#
One row per product that a customer bought for the first time after another one, in time.

The first purchase of X opens a window of so many days. Every product that is bought for the first
time in it, later than X, is a place that a product Y may take; a window that is not over yet has
the places it has had so far. Products X with too few buyers to learn from are left out.
#}
{{ config(materialized='view') }}

with

purchases as (

    select * from {{ ref('int_marketing__first_purchases') }}

),

final as (

    select
        windows.product_id as first_product_id,
        purchases.product_id as then_product_id,
        purchases.kind,
        purchases.buyers >= {{ var('rule_min_buyers') }} as is_candidate
    from purchases as windows
    inner join purchases
        on
            windows.customer_id = purchases.customer_id
            and windows.bought_at < purchases.bought_at
            and windows.bought_at + interval '{{ var("sequence_days") }}' day
            >= purchases.bought_at
    where windows.buyers >= {{ var('rule_min_buyers') }}

)

select * from final
