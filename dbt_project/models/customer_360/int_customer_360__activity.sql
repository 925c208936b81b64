{# One row per customer, dimension of segments and day on which something counted in it. #}

with

sessions as (

    select * from {{ ref('fct_sessions') }}
    where customer_id is not null

),

orders as (

    select
        customer_id,
        cast(ordered_at as date) as ordered_on,
        count(*) as orders,
        sum(order_amount) as amount
    from {{ ref('fct_orders') }}
    where customer_id is not null and order_amount > 0
    group by customer_id, cast(ordered_at as date)

),

messages as (

    select * from {{ ref('fct_email_engagement') }}
    where customer_id is not null

),

interactions as (

    select * from {{ ref('fct_touchpoints') }}
    where customer_id is not null and kind = 'social'

),

lines as (

    select * from {{ ref('int_customer_360__bought_products') }}

),

spaced as (

    select
        customer_id,
        ordered_on,
        lag(ordered_on)
            over (partition by customer_id order by ordered_on asc nulls last)
            as previous_on
    from orders

),

{# What counts, and against what: the value is the sum of one, or its share of the other. #}
counted as (

    select
        customer_id,
        'visits' as dimension,
        cast(started_at as date) as active_on,
        1 as amount,
        1 as weight
    from sessions
    union all
    select
        customer_id,
        'product_use' as dimension,
        cast(started_at as date) as active_on,
        product_views as amount,
        1 as weight
    from sessions
    union all
    select
        customer_id,
        'purchases' as dimension,
        ordered_on as active_on,
        1 as amount,
        1 as weight
    from orders
    union all
    select
        customer_id,
        'basket_size' as dimension,
        ordered_on as active_on,
        amount,
        orders as weight
    from orders
    union all
    select
        customer_id,
        'rhythm' as dimension,
        ordered_on as active_on,
        1 as amount,
        {{ days_between('previous_on', 'ordered_on') }} as weight
    from spaced
    where previous_on is not null
    union all
    select
        customer_id,
        'engagement' as dimension,
        cast(opened_at as date) as active_on,
        1 as amount,
        1 as weight
    from messages
    where opened_at is not null
    union all
    select
        customer_id,
        'engagement' as dimension,
        cast(clicked_at as date) as active_on,
        3 as amount,
        1 as weight
    from messages
    where clicked_at is not null
    union all
    select
        customer_id,
        'engagement' as dimension,
        cast(occurred_at as date) as active_on,
        2 as amount,
        1 as weight
    from interactions
    {%- for dimension in ['discount_affinity', 'price_sensitivity', 'novelty'] %}
    union all
    select
        customer_id,
        '{{ dimension }}' as dimension,
        bought_on as active_on,
        {{ dimension }} as amount,
        1 as weight
    from lines
    where {{ dimension }} is not null
    {%- endfor %}

),

final as (

    select
        customer_id,
        dimension,
        active_on,
        cast(sum(amount) as decimal(18, 3)) as amount,
        cast(sum(weight) as bigint) as weight,
        count(*) as entries
    from counted
    group by customer_id, dimension, active_on

)

select * from final
