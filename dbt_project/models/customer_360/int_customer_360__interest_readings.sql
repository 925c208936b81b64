{#
One row per customer, category of products and day with an interest in any: its share of attention.

Attention fades by half every `interest_half_life_days`. All of it fades alike, so shares change
only on days on which the customer does something. Sensitive categories are left out here, and so
are in no segment.
#}

with

products as (

    select * from {{ ref('dim_products') }}
    where category is not null and not is_sensitive

),

events as (

    select * from {{ ref('fct_events') }}
    where
        event_name in ('Product Viewed', 'Product Added')
        and customer_id is not null
        and not is_bot
        and not is_internal

),

bought as (

    select * from {{ ref('int_customer_360__bought_products') }}

),

{# A product bought says as much as three looked at. #}
actions as (

    select
        customer_id,
        product_id,
        cast(occurred_at as date) as active_on,
        case when event_name = 'Product Added' then 2 else 1 end as points
    from events
    union all
    select
        customer_id,
        product_id,
        bought_on as active_on,
        3 as points
    from bought

),

days as (

    select
        actions.customer_id,
        products.category,
        actions.active_on,
        sum(actions.points) as points,
        count(*) as entries
    from actions
    inner join products on actions.product_id = products.product_id
    group by actions.customer_id, products.category, actions.active_on

),

weighted as (

    select
        *,
        points * power(
            2.0,
            {{ days_between(
                'min(active_on) over (partition by customer_id)', 'active_on'
            ) }} / {{ var('interest_half_life_days') }}
        ) as weight
    from days

),

categories as (

    select distinct
        customer_id,
        category
    from days

),

totals as (

    select
        customer_id,
        active_on,
        sum(weight) as weight,
        sum(entries) as entries
    from weighted
    group by customer_id, active_on

),

{# Every category of the customer on every day of theirs: one that is left alone loses its share. #}
running as (

    select
        categories.customer_id,
        categories.category,
        totals.active_on,
        sum(coalesce(weighted.weight, 0)) over so_far as weight,
        sum(totals.weight) over so_far as total_weight,
        sum(totals.entries) over so_far as entries
    from categories
    inner join totals on categories.customer_id = totals.customer_id
    left join weighted
        on
            categories.customer_id = weighted.customer_id
            and categories.category = weighted.category
            and totals.active_on = weighted.active_on
    window so_far as (
        partition by categories.customer_id, categories.category
        order by totals.active_on asc nulls last rows unbounded preceding
    )

),

final as (

    select
        customer_id,
        category,
        active_on as read_on,
        round(100 * weight / total_weight, 3) as share,
        entries
    from running

)

select * from final
