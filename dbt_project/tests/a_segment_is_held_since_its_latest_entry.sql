{# Who is in a segment since a day entered it on that day, as the changes tell. #}

with

entries as (

    select
        customer_id,
        dimension,
        segment,
        max(changed_on) as changed_on
    from {{ ref('segment_changes') }}
    where change = 'enter'
    group by customer_id, dimension, segment

)

select
    segments.customer_id,
    segments.dimension,
    segments.entered_on,
    entries.changed_on
from {{ ref('customer_segments') }} as segments
inner join entries
    on
        segments.customer_id = entries.customer_id
        and segments.dimension = entries.dimension
        and segments.segment = entries.segment
where segments.entered_on is distinct from entries.changed_on
