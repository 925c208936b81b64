{# Every model gives away every order's amount, to the tenth of a penny. #}
{% test attribution_pays_out_every_order(model) %}
    select
        paid.attribution_model,
        orders.order_id
    from {{ ref('fct_orders') }} as orders
    left join (
        select
            attribution_model,
            order_id,
            sum(credited_revenue) as credited_revenue
        from {{ model }}
        group by attribution_model, order_id
    ) as paid on orders.order_id = paid.order_id
    where orders.order_amount > 0 and paid.credited_revenue is distinct from orders.order_amount
{% endtest %}
