{# One row per customer with the segment they are in now, one column per dimension that has one. #}

{% set dimensions = [
    'visits', 'product_use', 'purchases', 'engagement', 'rhythm', 'basket_size',
    'discount_affinity', 'price_sensitivity', 'novelty'
] %}

with

stays as (

    select * from {{ ref('int_customer_360__stays') }}
    where left_on is null

),

ranked as (

    select
        customer_id,
        dimension,
        segment,
        row_number() over (
            partition by customer_id, dimension
            order by latest_value desc nulls last, segment asc nulls last
        ) as place
    from stays

),

final as (

    select
        customer_id,
        {% for dimension in dimensions %}
        max(case when dimension = '{{ dimension }}' then segment end) as {{ dimension }}_segment,
        {% endfor %}
        max(case when dimension = 'interest' and place = 1 then segment end) as main_interest,
        count(case when dimension = 'interest' then 1 end) as interests
    from ranked
    group by customer_id

)

select * from final
