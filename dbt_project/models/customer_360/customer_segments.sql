{# One row per customer and kind of segment: what we call the customer, and why. #}

with

rfm as (

    select * from {{ ref('int_customer_360__rfm') }}

),

clusters as (

    select * from {{ source('ml', 'customer_clusters') }}

),

profiles as (

    select * from {{ ref('customer_profiles') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

ages as (

    select
        profiles.customer_id,
        floor({{ days_between('profiles.birth_date', 'as_of.as_of') }} / 365.25) as age
    from profiles
    cross join as_of
    where profiles.birth_date is not null

),

final as (

    select
        customer_id,
        'rfm' as segment_kind,
        rfm_segment as segment,
        concat_ws(
            ' ', 'recency', recency_score, 'frequency', frequency_score, 'monetary',
            monetary_score
        ) as reason
    from rfm
    union all
    select
        customer_id,
        'cluster' as segment_kind,
        cluster_label as segment,
        concat_ws(' ', 'nearest centre of model', model_version) as reason
    from clusters
    union all
    select
        customer_id,
        'age_band' as segment_kind,
        case
            when age < 25 then 'under 25'
            when age < 35 then '25 to 34'
            when age < 50 then '35 to 49'
            when age < 65 then '50 to 64'
            else '65 and over'
        end as segment,
        'year of birth' as reason
    from ages
    union all
    select
        customer_id,
        'country' as segment_kind,
        country_code as segment,
        'latest address' as reason
    from profiles
    where country_code is not null

)

select * from final
