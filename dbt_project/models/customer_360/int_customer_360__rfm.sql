{# One row per buyer: recency and value scores from 1 to 5, ties alike, and the segment's name. #}

with

features as (

    select * from {{ ref('customer_features') }}
    where orders > 0

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

ranked as (

    select
        customer_id,
        cume_dist() over (order by days_since_last_order desc) as recency_share,
        cume_dist() over (order by orders asc) as frequency_share,
        cume_dist() over (order by net_amount asc) as monetary_share
    from features

),

scored as (

    select
        customer_id,
        cast(ceil(5 * recency_share) as bigint) as recency_score,
        cast(ceil(5 * frequency_share) as bigint) as frequency_score,
        cast(ceil(5 * monetary_share) as bigint) as monetary_score,
        cast(ceil(5 * (frequency_share + monetary_share) / 2) as bigint) as value_score
    from ranked

),

final as (

    select
        scored.customer_id,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        rfm_segments.segment as rfm_segment
    from scored
    left join rfm_segments
        on
            scored.recency_score between rfm_segments.recency_from and rfm_segments.recency_to
            and scored.value_score between rfm_segments.value_from and rfm_segments.value_to

)

select * from final
