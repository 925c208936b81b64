{# One row per buyer and day on which their RFM segment changed, the first one included. #}

with

levels as (

    select * from {{ ref('int_customer_360__levels') }}
    where dimension in ('recency', 'value') and is_change

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

days as (

    select
        customer_id,
        read_on as changed_on,
        max(case when dimension = 'recency' then level end) as recency_level,
        max(case when dimension = 'value' then level end) as value_level,
        {{ days_between("cast('1970-01-01' as date)", 'read_on') }} * 10 as place
    from levels
    group by customer_id, read_on

),

{# The latest of each so far. Who has ordered but has not been reviewed yet starts at the bottom. #}
carried as (

    select
        customer_id,
        changed_on,
        max(place + recency_level) over so_far % 10 as recency_score,
        coalesce(max(place + value_level) over so_far % 10, 1) as value_score
    from days
    window
        so_far as (
            partition by customer_id order by changed_on asc nulls last rows unbounded preceding
        )

),

final as (

    select
        carried.customer_id,
        carried.changed_on,
        carried.recency_score,
        carried.value_score,
        rfm_segments.segment as rfm_segment,
        rfm_segments.description,
        lag(rfm_segments.segment) over (
            partition by carried.customer_id order by carried.changed_on asc nulls last
        ) as previous_segment
    from carried
    left join rfm_segments
        on
            carried.recency_score between rfm_segments.recency_from and rfm_segments.recency_to
            and carried.value_score between rfm_segments.value_from and rfm_segments.value_to

)

select * from final
