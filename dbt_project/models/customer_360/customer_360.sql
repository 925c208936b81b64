{# One row per customer: profile, behaviour, scores and segments, without direct identifiers. #}

with

profiles as (

    select * from {{ ref('customer_profiles') }}

),

features as (

    select * from {{ ref('customer_features') }}

),

rfm as (

    select * from {{ ref('int_customer_360__rfm') }}

),

clusters as (

    select * from {{ source('ml', 'customer_clusters') }}

),

age_bands as (

    select * from {{ ref('customer_segments') }}
    where segment_kind = 'age_band'

),

consents as (

    select * from {{ ref('customer_consents') }}
    where purpose = 'marketing' and channel = 'email'

),

final as (

    select
        profiles.customer_id,
        features.as_of,
        profiles.is_anonymous,
        profiles.country_code,
        age_bands.segment as age_band,
        profiles.sources,
        profiles.records,
        features.orders,
        features.gross_amount,
        features.refund_amount,
        features.net_amount,
        features.average_order_amount,
        features.first_order_on,
        features.last_order_on,
        features.days_since_last_order,
        features.orders_90_days,
        features.store_orders,
        features.sessions,
        features.product_views,
        features.last_session_on,
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        rfm.rfm_segment,
        clusters.cluster_label,
        coalesce(consents.is_granted, false) as accepts_marketing_email
    from profiles
    inner join features on profiles.customer_id = features.customer_id
    left join rfm on profiles.customer_id = rfm.customer_id
    left join clusters on profiles.customer_id = clusters.customer_id
    left join age_bands on profiles.customer_id = age_bands.customer_id
    left join consents on profiles.customer_id = consents.customer_id

)

select * from final
