{# One row per ad and day, in the newest restatement: what was shown, clicked and paid. #}

with

insights as (

    select * from {{ ref('stg_ads__insights') }}

),

exchange_rates as (

    select * from {{ ref('int_core__exchange_rates') }}

),

final as (

    select
        insights.insight_id,
        'ads:' || insights.campaign_id as campaign_key,
        insights.ad_id,
        insights.reported_on,
        insights.platform,
        insights.impressions,
        insights.clicks,
        insights.spend as billed_amount,
        insights.currency,
        cast(insights.spend * exchange_rates.rate as decimal(18, 4)) as spend
    from insights
    left join exchange_rates
        on
            insights.currency = exchange_rates.currency
            and insights.reported_on >= exchange_rates.valid_from
            and insights.reported_on < exchange_rates.valid_to

)

select * from final
