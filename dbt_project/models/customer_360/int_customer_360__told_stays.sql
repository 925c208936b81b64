{#
One row per customer and stay in a segment that follows from what was told of them: demographic, or
a declared wish.
#}

with

told as (

    select * from {{ ref('int_customer_360__told') }}

),

age_stays as (

    select * from {{ ref('int_customer_360__age_stays') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

compared as (

    select
        told.*,
        case
            when
                told.segment = lag(told.segment) over earlier
                and told.told_on = lag(told.told_until) over earlier
                then 0
            else 1
        end as is_entry
    from told
    cross join as_of
    where told.segment is not null and told.told_on <= as_of.as_of
    window
        earlier as (
            partition by told.customer_id, told.dimension order by told.told_on asc nulls last
        )

),

numbered as (

    select
        *,
        sum(is_entry) over (
            partition by customer_id, dimension
            order by told_on asc nulls last rows unbounded preceding
        ) as stay
    from compared

),

told_stays as (

    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        max(case when is_entry = 1 then reason end) as entered_because,
        min(told_on) as entered_on,
        max(told_until) as left_on,
        'told otherwise, taken back, or too long ago' as left_because
    from numbered
    group by customer_id, segment_kind, dimension, segment, stay

),

stays as (

    select * from told_stays
    union all
    select * from age_stays

),

final as (

    select
        stays.customer_id,
        stays.segment_kind,
        stays.dimension,
        stays.segment,
        stays.entered_because,
        stays.entered_on,
        case when stays.left_on <= as_of.as_of then stays.left_on end as left_on,
        stays.left_because
    from stays
    cross join as_of
    where stays.entered_on <= as_of.as_of

)

select * from final
