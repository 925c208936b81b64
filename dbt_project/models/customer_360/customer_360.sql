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

    select * from {{ ref('int_customer_360__cluster_stays') }}
    where left_on is null

),

demographics_told as (

    select
        *,
        case when segment not in ('elsewhere', 'unknown') then segment end as named
    from {{ ref('int_customer_360__demographics') }}

),

demographics as (

    select
        customer_id,
        max(case when dimension = 'age_band' then segment end) as age_band,
        max(case when dimension = 'occupation' then segment end) as occupation,
        max(case when dimension = 'country' then named end) as country,
        max(case when dimension = 'region' then named end) as region,
        max(case when dimension = 'city' then named end) as city
    from demographics_told
    group by customer_id

),

segment_names as (

    select * from {{ ref('int_customer_360__segment_names') }}

),

contact_facts as (

    select * from {{ ref('int_customer_360__contact_facts') }}

),

ways_in as (

    select * from {{ ref('int_customer_360__ways_in') }}

),

consents as (

    select
        customer_id,
        max(case when channel = 'email' and is_granted then 1 else 0 end) = 1 as email,
        max(case when channel = 'sms' and is_granted then 1 else 0 end) = 1 as sms,
        max(case when channel = 'ads' and is_granted then 1 else 0 end) = 1 as ads
    from {{ ref('customer_consents') }}
    where purpose = 'marketing'
    group by customer_id

),

final as (

    select
        profiles.customer_id,
        features.as_of,
        profiles.is_anonymous,
        demographics.country as country_code,
        coalesce(demographics.city, demographics.region, demographics.country) as place,
        demographics.age_band,
        demographics.occupation,
        profiles.sources,
        profiles.records,
        features.orders,
        features.gross_amount,
        features.refund_amount,
        features.net_amount,
        round(cast(features.refund_amount as double) / nullif(features.gross_amount, 0), 4)
            as refund_share,
        features.average_order_amount,
        features.first_order_on,
        features.last_order_on,
        features.days_since_last_order,
        features.orders_90_days,
        features.store_orders,
        ways_in.acquisition_channel,
        features.sessions,
        features.product_views,
        features.last_session_on,
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        rfm.value_score,
        rfm.rfm_segment,
        rfm.entered_on as rfm_segment_since,
        segment_names.visits_segment,
        segment_names.product_use_segment,
        segment_names.purchases_segment,
        segment_names.engagement_segment,
        segment_names.rhythm_segment,
        segment_names.basket_size_segment,
        segment_names.discount_affinity_segment,
        segment_names.price_sensitivity_segment,
        segment_names.novelty_segment,
        segment_names.main_interest,
        coalesce(segment_names.interests, 0) as interests,
        clusters.segment as cluster_label,
        clusters.entered_on as cluster_since,
        coalesce(contact_facts.emails_sent, 0) as emails_sent,
        coalesce(contact_facts.emails_opened, 0) as emails_opened,
        coalesce(contact_facts.emails_clicked, 0) as emails_clicked,
        contact_facts.last_email_click_on,
        coalesce(contact_facts.abandoned_carts, 0) as abandoned_carts,
        contact_facts.last_abandoned_cart_on,
        coalesce(contact_facts.support_contacts, 0) as support_contacts,
        coalesce(contact_facts.open_support_contacts, 0) as open_support_contacts,
        contact_facts.last_support_on,
        coalesce(consents.email, false) as accepts_marketing_email,
        coalesce(consents.sms, false) as accepts_marketing_sms,
        coalesce(consents.ads, false) as accepts_ads
    from profiles
    inner join features on profiles.customer_id = features.customer_id
    left join rfm on profiles.customer_id = rfm.customer_id
    left join clusters on profiles.customer_id = clusters.customer_id
    left join demographics on profiles.customer_id = demographics.customer_id
    left join segment_names on profiles.customer_id = segment_names.customer_id
    left join contact_facts on profiles.customer_id = contact_facts.customer_id
    left join ways_in on profiles.customer_id = ways_in.customer_id
    left join consents on profiles.customer_id = consents.customer_id

)

select * from final
