{#
One row per refund that names no order and order that it is taken from, with how much.

What a customer has bought of a product and not given back is a pile: an order lays its units on top,
a refund takes them from there. So the latest orders give first, each no more than it has left, and
what was bought before the evidence begins is no order's.
#}

with

layers as (

    select * from {{ ref('int_marketing__moved_units') }}

),

edges as (

    select
        customer_id,
        product_id,
        bottom as edge
    from layers
    union distinct
    select
        customer_id,
        product_id,
        top as edge
    from layers

),

slices as (

    select
        customer_id,
        product_id,
        edge as bottom,
        lead(edge) over (
            partition by customer_id, product_id order by edge asc nulls last
        ) as top
    from edges

),

{# Units at one height are laid and taken in turn. A layer has as many slices as edges lie in it. #}
turns as (

    select
        layers.refund_id,
        cast(layers.refund_amount as double) * (slices.top - slices.bottom) / layers.units
            as refund_amount,
        lag(layers.order_id) over (
            partition by layers.customer_id, layers.product_id, slices.bottom
            order by
                layers.moved_at asc nulls last, layers.order_id asc nulls last,
                layers.refund_id asc nulls last
        ) as order_id
    from layers
    inner join slices
        on
            layers.customer_id = slices.customer_id
            and layers.product_id = slices.product_id
            and layers.bottom <= slices.bottom
            and layers.top >= slices.top

),

final as (

    select
        refund_id,
        order_id,
        cast(sum(refund_amount) as decimal(18, 3)) as refund_amount
    from turns
    where refund_id is not null and order_id is not null
    group by refund_id, order_id

)

select * from final
