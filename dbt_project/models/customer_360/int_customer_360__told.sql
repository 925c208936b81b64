{#
One row per customer and span in which a place, a gender, an occupation or a wish about being
contacted was told, as is known now. What follows another may say the same again.
#}

with

history as (

    select * from {{ ref('profile_history') }}
    where field in ('gender', 'job_title') and known_to = cast('9999-12-31' as date)

),

occupations as (

    select * from {{ ref('int_customer_360__occupations') }}

),

home_segments as (

    select * from {{ ref('int_customer_360__home_segments') }}
    where not is_now

),

decisions as (

    select * from {{ ref('consent_decisions') }}
    where decided_at is not null

),

{# The last word of a day counts. #}
decisions_of_day as (

    select
        *,
        cast(decided_at as date) as decided_on,
        row_number() over (
            partition by customer_id, purpose, channel, cast(decided_at as date)
            order by recency asc nulls last
        ) as recency_of_day
    from decisions

),

final as (

    select
        customer_id,
        'demographic' as segment_kind,
        field as dimension,
        value as segment,
        concat_ws(' ', 'as stated in', source) as reason,
        valid_from as told_on,
        valid_to as told_until
    from history
    where field = 'gender'
    union all
    select
        history.customer_id,
        'demographic' as segment_kind,
        'occupation' as dimension,
        case when occupations.segment <> 'unknown' then occupations.segment end as segment,
        concat_ws(' ', 'job title by', history.source) as reason,
        history.valid_from as told_on,
        history.valid_to as told_until
    from history
    left join occupations on history.value = occupations.job_title
    where history.field = 'job_title'
    union all
    select
        customer_id,
        'demographic' as segment_kind,
        dimension,
        case when segment <> 'unknown' then segment end as segment,
        reason,
        told_on,
        told_until
    from home_segments
    union all
    select
        customer_id,
        'psychographic' as segment_kind,
        concat_ws(' ', 'declared', purpose, 'by', channel) as dimension,
        case when is_granted then 'wishes it' else 'does not wish it' end as segment,
        concat_ws(' ', 'decision in', source) as reason,
        decided_on as told_on,
        lead(decided_on, 1, cast('9999-12-31' as date)) over (
            partition by customer_id, purpose, channel order by decided_on asc nulls last
        ) as told_until
    from decisions_of_day
    where recency_of_day = 1

)

select * from final
