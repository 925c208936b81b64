{#
One row per attribution model, order, channel and campaign, with the revenue the model gives it.

Shares are paid out in tenths of a penny, the smallest unit of an order, and what rounding leaves
goes to the largest remainders: every model gives away each order's revenue, no more and no less.
Orders that no known touch led up to are credited to the channel `unattributed`.
#}

with

weights as (

    select * from {{ ref('int_marketing__touch_weights') }}

),

orders as (

    select
        order_id,
        customer_id,
        ordered_at,
        order_amount,
        cast(order_amount * 1000 as bigint) as units
    from {{ ref('fct_orders') }}
    where order_amount > 0

),

last_non_direct as (

    select * from {{ ref('int_marketing__last_non_direct') }}

),

known as (
    {% for model in attribution_models() if model != 'last_non_direct' %}
    select
        '{{ model }}' as attribution_model,
        order_id,
        marketing_channel,
        campaign_key,
        min(position) as position,
        sum(cast({{ model }} as double)) as share
    from weights
    where {{ model }} > 0
    group by order_id, marketing_channel, campaign_key
    union all
    {% endfor %}
    select
        'last_non_direct' as attribution_model,
        order_id,
        marketing_channel,
        campaign_key,
        1 as position,
        1.0 as share
    from last_non_direct

),

shares as (

    select * from known
    {% for model in attribution_models() %}
    union all
    select
        '{{ model }}' as attribution_model,
        orders.order_id,
        'unattributed' as marketing_channel,
        null as campaign_key,
        1 as position,
        1.0 as share
    from orders
    left join {{ 'last_non_direct' if model == 'last_non_direct' else 'weights' }} as touches
        on orders.order_id = touches.order_id
    where touches.order_id is null
    {% endfor %}
),

rounded as (

    select
        shares.attribution_model,
        shares.order_id,
        shares.marketing_channel,
        shares.campaign_key,
        shares.position,
        orders.customer_id,
        orders.ordered_at,
        orders.units,
        cast(floor(orders.units * round(shares.share, 11)) as bigint) as whole_units,
        orders.units * round(shares.share, 11)
        - floor(orders.units * round(shares.share, 11)) as remainder
    from shares
    inner join orders on shares.order_id = orders.order_id

),

ranked as (

    select
        *,
        units - sum(whole_units) over (
            partition by attribution_model, order_id
        ) as units_left,
        row_number() over (
            partition by attribution_model, order_id
            order by
                remainder desc, position asc nulls last, marketing_channel asc nulls last,
                campaign_key asc nulls last
        ) as place
    from rounded

),

final as (

    select
        attribution_model,
        order_id,
        marketing_channel,
        campaign_key,
        customer_id,
        ordered_at,
        cast(
            (whole_units + case when place <= units_left then 1 else 0 end) / 1000
            as decimal(18, 3)
        ) as credited_revenue
    from ranked

)

select * from final
