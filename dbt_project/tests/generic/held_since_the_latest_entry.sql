{# Who is in a segment since a day entered it on that day, as the changes tell. #}
{% test held_since_the_latest_entry(model, changes) %}

with

entries as (

    select
        customer_id,
        dimension,
        segment,
        max(changed_on) as changed_on
    from {{ changes }}
    where change = 'enter'
    group by customer_id, dimension, segment

)

select
    segments.customer_id,
    segments.dimension,
    segments.entered_on,
    entries.changed_on
from {{ model }} as segments
inner join entries
    on
        segments.customer_id = entries.customer_id
        and segments.dimension = entries.dimension
        and segments.segment = entries.segment
where segments.entered_on is distinct from entries.changed_on

{% endtest %}
