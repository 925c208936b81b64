{# No combination of these dimensions tells of fewer customers than `smallest_group`. #}
{% test of_enough_customers(model, dimensions) %}

with

customers as (

    select
        {% for dimension in dimensions %}
        max(case when dimension = '{{ dimension }}' then segment end) as {{ dimension }},
        {% endfor %}
        customer_id
    from {{ model }}
    group by customer_id

)

select
    {{ dimensions | join(', ') }},
    count(*) as customers
from customers
where {{ dimensions | first }} <> 'unknown'
group by {{ dimensions | join(', ') }}
having count(*) < {{ var('smallest_group') }}

{% endtest %}
