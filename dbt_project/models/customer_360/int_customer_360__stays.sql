{# One row per customer, segment and stay in it, with why it began, goes on and ended. #}

with

levels as (

    select * from {{ ref('int_customer_360__levels') }}

),

segment_levels as (

    select * from {{ ref('segment_levels') }}

),

dimensions as (

    select * from {{ ref('segment_dimensions') }}
    where segment_kind <> 'score'

),

rfm_changes as (

    select
        *,
        concat_ws(' ', 'recency', recency_score, 'of 5, value', value_score, 'of 5') as scores
    from {{ ref('int_customer_360__rfm_changes') }}
    where rfm_segment is distinct from previous_segment

),

rfm as (

    select * from {{ ref('int_customer_360__rfm') }}

),

cluster_stays as (

    select * from {{ ref('int_customer_360__cluster_stays') }}

),

spans as (

    select
        customer_id,
        dimension,
        item,
        read_on as entered_on,
        value as entered_at_value,
        level,
        lead(read_on) over following as left_on,
        lead(value) over following as left_at_value
    from levels
    where is_change
    window following as (partition by customer_id, dimension, item order by read_on asc nulls last)

),

latest as (

    select * from levels
    where is_latest

),

final as (

    select
        spans.customer_id,
        dimensions.segment_kind,
        spans.dimension,
        coalesce(segment_levels.segment, spans.item) as segment,
        spans.entered_on,
        spans.left_on,
        latest.value as latest_value,
        concat_ws(
            ' ', {{ figure('spans.entered_at_value') }}, dimensions.unit, 'is at least',
            {{ figure('segment_levels.enter_from') }}
        ) as entered_because,
        concat_ws(
            ' ', {{ figure('latest.value') }}, dimensions.unit, 'is not below',
            {{ figure('segment_levels.leave_below') }}
        ) as stays_because,
        case
            when spans.left_at_value is null then 'too little happened to tell'
            else concat_ws(' ', {{ figure('spans.left_at_value') }}, dimensions.unit)
        end as left_because
    from spans
    inner join dimensions on spans.dimension = dimensions.dimension
    inner join segment_levels
        on spans.dimension = segment_levels.dimension and spans.level = segment_levels.level
    inner join latest
        on
            spans.customer_id = latest.customer_id
            and spans.dimension = latest.dimension
            and spans.item = latest.item
    union all
    select
        rfm_changes.customer_id,
        'transactional' as segment_kind,
        'rfm' as dimension,
        rfm_changes.rfm_segment as segment,
        rfm_changes.changed_on as entered_on,
        lead(rfm_changes.changed_on) over following as left_on,
        null as latest_value,
        concat_ws(' ', rfm_changes.description || ':', rfm_changes.scores) as entered_because,
        {# Within a segment the scores go on changing: these are the ones in force. #}
        concat_ws(
            ' ', rfm_changes.description || ':', 'recency', rfm.recency_score, 'of 5, value',
            rfm.value_score, 'of 5'
        ) as stays_because,
        lead(rfm_changes.scores) over following as left_because
    from rfm_changes
    inner join rfm on rfm_changes.customer_id = rfm.customer_id
    window
        following as (
            partition by rfm_changes.customer_id order by rfm_changes.changed_on asc nulls last
        )
    union all
    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        entered_on,
        left_on,
        null as latest_value,
        entered_because,
        stays_because,
        left_because
    from cluster_stays

)

select * from final
