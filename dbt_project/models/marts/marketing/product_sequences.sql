{#
One row per rule: who buys X for the first time buys Y within so many days, more often than chance.

The probability is that of customers who have no Y when they buy X; what it would be without X is told
by the lift, for which kinds of purchases are compared one by one.
#}

with

measured as (

    select * from {{ ref('int_marketing__measured_sequences') }}

),

purchases as (

    select * from {{ ref('int_marketing__first_purchases') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

{# Who has Y before X cannot follow; a window that is not over counts by its days that are. #}
windows as (

    select
        measured.first_product_id,
        measured.then_product_id,
        count(*) as customers,
        sum(least(
            {{ days_between('cast(firsts.bought_at as date)', 'as_of.as_of') }},
            {{ var('sequence_days') }}
        )) / {{ var('sequence_days') }} as windows_over
    from measured
    cross join as_of
    inner join purchases as firsts on measured.first_product_id = firsts.product_id
    left join purchases as thens
        on
            measured.then_product_id = thens.product_id
            and firsts.customer_id = thens.customer_id
            and firsts.bought_at >= thens.bought_at
    where thens.customer_id is null
    group by measured.first_product_id, measured.then_product_id

),

gaps as (

    select
        first_product_id,
        then_product_id,
        median(gap_seconds) as median_gap_seconds
    from {{ ref('int_marketing__followers') }}
    group by first_product_id, then_product_id

),

final as (

    select
        measured.first_product_id,
        measured.then_product_id,
        first_products.product_name as first_product_name,
        then_products.product_name as then_product_name,
        cast({{ var('sequence_days') }} as bigint) as within_days,
        windows.customers as first_customers,
        measured.customers as support,
        round(measured.customers / nullif(windows.windows_over, 0), 6) as probability,
        round(measured.customers / nullif(windows.windows_over, 0) / measured.lift, 6)
            as base_rate,
        round(measured.lift, 4) as lift,
        round(measured.lift * exp(-measured.deviation), 4) as lift_low,
        round(measured.lift * exp(measured.deviation), 4) as lift_high,
        round((measured.customers + 3) / (measured.customers / measured.lift + 3), 4)
            as cautious_lift,
        round(gaps.median_gap_seconds / 86400, 2) as median_gap_days,
        measured.q_value
    from measured
    inner join windows
        on
            measured.first_product_id = windows.first_product_id
            and measured.then_product_id = windows.then_product_id
    inner join gaps
        on
            measured.first_product_id = gaps.first_product_id
            and measured.then_product_id = gaps.then_product_id
    inner join products as first_products
        on measured.first_product_id = first_products.product_id
    inner join products as then_products
        on measured.then_product_id = then_products.product_id

)

select * from final
