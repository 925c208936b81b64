{#
One row per order whose amount is far from what is usual in its segment: the channel and country.

Robust z-score of the logarithm of the amount, as in int_core__quantity_outliers. The order is
flagged and not left out: each of its lines has passed for itself.
#}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where order_amount > 0

),

countries as (

    select
        order_id,
        max(country) as country
    from {{ ref('int_core__sold_lines') }}
    group by order_id

),

placed as (

    select
        orders.order_id,
        ln(orders.order_amount) as size,
        concat_ws(' ', orders.channel, countries.country) as segment,
        count(*) over (partition by orders.channel, countries.country) as segment_orders
    from orders
    left join countries on orders.order_id = countries.order_id

),

{# A segment of few orders has no usual amount of its own. #}
segmented as (

    select
        order_id,
        size,
        case when segment_orders >= 20 then segment else 'small segments' end as segment
    from placed

),

centres as (

    select
        segment,
        median(size) as usual_size
    from segmented
    group by segment

),

deviations as (

    select
        segmented.order_id,
        segmented.segment,
        segmented.size - centres.usual_size as deviation
    from segmented
    inner join centres on segmented.segment = centres.segment

),

spreads as (

    select
        segment,
        greatest(1.4826 * median(abs(deviation)), ln(2) / 2) as spread
    from deviations
    group by segment

),

final as (

    select
        deviations.order_id,
        deviations.segment,
        cast(deviations.deviation / spreads.spread as decimal(18, 1)) as robust_z_score
    from deviations
    inner join spreads on deviations.segment = spreads.segment
    where abs(deviations.deviation) > {{ var('outlier_deviations') }} * spreads.spread

)

select * from final
