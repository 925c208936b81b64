{# One row per customer and segment they are in: which, why, and since when. #}

-- depends_on: {{ ref('segment_changes') }}
-- for their common total: dbt runs a test only when it builds all that it reads, or what that reads

with

demographics as (

    select * from {{ ref('int_customer_360__demographics') }}

),

stays as (

    select * from {{ ref('int_customer_360__stays') }}
    where left_on is null

),

told_stays as (

    select * from {{ ref('int_customer_360__told_stays') }}
    where left_on is null

),

consents as (

    select * from {{ ref('customer_consents') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

segments as (

    select
        customer_id,
        'demographic' as segment_kind,
        dimension,
        segment,
        reason,
        entered_on
    from demographics
    union all
    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        stays_because as reason,
        entered_on
    from stays
    union all
    select
        customer_id,
        'psychographic' as segment_kind,
        concat_ws(' ', 'declared', purpose, 'by', channel) as dimension,
        case when is_granted then 'wishes it' else 'does not wish it' end as segment,
        concat_ws(' ', 'latest decision, in', source) as reason,
        cast(decided_at as date) as entered_on
    from consents

),

final as (

    select
        segments.customer_id,
        segments.segment_kind,
        segments.dimension,
        segments.segment,
        segments.reason,
        coalesce(told_stays.entered_on, segments.entered_on) as entered_on,
        as_of.as_of
    from segments
    cross join as_of
    left join told_stays
        on
            segments.customer_id = told_stays.customer_id
            and segments.dimension = told_stays.dimension
            and segments.segment = told_stays.segment

)

select * from final
