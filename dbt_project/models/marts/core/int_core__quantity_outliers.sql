{#
One row per sold line whose quantity is far from what is usual for its product.

Robust z-score of the logarithm of the quantity: median and MAD per product, of all seldom sold
products together (Iglewicz and Hoaglin, 1993, with 1.4826 as the factor that makes the MAD a
standard deviation). Their cut of 3.5 is for normal data; wholesale orders have long tails (variable
outlier_deviations).
#}

with

sold as (

    select
        order_line_id,
        product_id,
        ln(1 + abs(quantity)) as size,
        count(*) over (partition by product_id) as product_lines
    from {{ ref('int_core__sold_lines') }}
    where line_class in ('sale', 'cancellation')

),

lines as (

    select
        order_line_id,
        case when product_lines >= 20 then product_id else 'seldom sold' end as product_group,
        size
    from sold

),

centres as (

    select
        product_group,
        median(size) as usual_size
    from lines
    group by product_group

),

deviations as (

    select
        lines.order_line_id,
        lines.product_group,
        lines.size - centres.usual_size as deviation
    from lines
    inner join centres on lines.product_group = centres.product_group

),

spreads as (

    select
        product_group,
        {# ln(2)/2 is half a doubling: products that always sell in one pack size have no spread #}
        greatest(1.4826 * median(abs(deviation)), ln(2) / 2) as spread
    from deviations
    group by product_group

),

final as (

    select
        deviations.order_line_id,
        cast(deviations.deviation / spreads.spread as decimal(18, 1)) as robust_z_score
    from deviations
    inner join spreads on deviations.product_group = spreads.product_group
    where deviations.deviation > {{ var('outlier_deviations') }} * spreads.spread

)

select * from final
