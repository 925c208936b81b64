{# One row per buyer: the scores from 1 to 5 in force, and since when the segment is. #}

with

changes as (

    select * from {{ ref('int_customer_360__rfm_changes') }}

),

rfm_reviews as (

    select * from {{ ref('int_customer_360__rfm_reviews') }}

),

latest_scores as (

    select
        customer_id,
        recency_score,
        value_score,
        rfm_segment,
        row_number() over (partition by customer_id order by changed_on desc) as age
    from changes

),

entries as (

    select
        customer_id,
        max(changed_on) as entered_on
    from changes
    where rfm_segment is distinct from previous_segment
    group by customer_id

),

latest_reviews as (

    select
        customer_id,
        frequency_share,
        monetary_share,
        row_number() over (partition by customer_id order by reviewed_on desc) as age
    from rfm_reviews

),

final as (

    select
        latest_scores.customer_id,
        latest_scores.recency_score,
        coalesce(cast(ceil(latest_reviews.frequency_share / 20) as bigint), 1) as frequency_score,
        coalesce(cast(ceil(latest_reviews.monetary_share / 20) as bigint), 1) as monetary_score,
        latest_scores.value_score,
        latest_scores.rfm_segment,
        entries.entered_on
    from latest_scores
    inner join entries on latest_scores.customer_id = entries.customer_id
    left join latest_reviews
        on latest_scores.customer_id = latest_reviews.customer_id and latest_reviews.age = 1
    where latest_scores.age = 1

)

select * from final
