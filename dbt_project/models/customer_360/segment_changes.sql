{#
One row per entry of a customer into a segment or exit from it, on the day it happened.

Worked out from the evidence, not kept: each refresh tells the whole history, with what came late
in its place. So days that are over do not change but by late evidence, a merge or an erasure.
#}

with

counted_stays as (

    select * from {{ ref('int_customer_360__stays') }}

),

told_stays as (

    select * from {{ ref('int_customer_360__told_stays') }}

),

stays as (

    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        entered_on,
        entered_because,
        left_on,
        left_because
    from counted_stays
    union all
    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        entered_on,
        entered_because,
        left_on,
        left_because
    from told_stays

),

changes as (

    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        'enter' as change,
        entered_on as changed_on,
        entered_because as reason
    from stays
    union all
    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        'exit' as change,
        left_on as changed_on,
        left_because as reason
    from stays
    where left_on is not null

),

final as (

    select
        {{ surrogate_key(['customer_id', 'dimension', 'segment', 'change', 'changed_on']) }}
            as change_id,
        customer_id,
        segment_kind,
        dimension,
        segment,
        change,
        changed_on,
        reason
    from changes

)

select * from final
