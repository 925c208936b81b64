{# One row per campaign and month: what it cost and what each attribution model says it brought. #}

with

campaigns as (

    select * from {{ ref('dim_campaigns') }}

),

spending as (

    select
        campaign_key,
        cast(date_trunc('month', reported_on) as date) as month,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        sum(spend) as spend,
        {# What a part of the cost brought is no return: without all rates there is none. #}
        case when count(spend) = count(*) then sum(spend) end as whole_spend
    from {{ ref('fct_ad_spend') }}
    group by campaign_key, cast(date_trunc('month', reported_on) as date)

),

{#
Each click in an e-mail begins a visit. Where the browser tells nobody's name the two are not known
to be one touch, so where clicks are reported they alone count.
#}
touching as (

    select
        campaign_key,
        cast(date_trunc('month', occurred_at) as date) as month,
        case
            when count(case when kind = 'email_click' then 1 end) > 0
                then count(case when kind = 'email_click' then 1 end)
            else count(*)
        end as touches
    from {{ ref('fct_touchpoints') }}
    where campaign_key is not null
    group by campaign_key, cast(date_trunc('month', occurred_at) as date)

),

earning as (

    select
        campaign_key,
        cast(date_trunc('month', ordered_at) as date) as month,
        {%- for model in attribution_models() %}
        sum(case when attribution_model = '{{ model }}' then net_revenue else 0 end)
            as revenue_{{ model }},
        {%- endfor %}
        count(
            case when is_first_order and attribution_model = 'last_touch' then 1 end
        ) as new_customers
    from {{ ref('int_marketing__net_credits') }}
    where campaign_key is not null
    group by campaign_key, cast(date_trunc('month', ordered_at) as date)

),

as_of as (

    select * from {{ ref('as_of') }}

),

months as (

    select
        campaign_key,
        month
    from spending
    union distinct
    select
        campaign_key,
        month
    from touching
    union distinct
    select
        campaign_key,
        month
    from earning

),

final as (

    select
        months.campaign_key,
        months.month,
        campaigns.campaign_name,
        campaigns.marketing_channel,
        campaigns.platform,
        cast(coalesce(spending.impressions, 0) as bigint) as impressions,
        cast(coalesce(spending.clicks, 0) as bigint) as clicks,
        cast(coalesce(spending.spend, 0) as decimal(18, 4)) as spend,
        coalesce(touching.touches, 0) as touches,
        coalesce(earning.new_customers, 0) as new_customers,
        {%- for model in attribution_models() %}
        cast(coalesce(earning.revenue_{{ model }}, 0) as decimal(18, 3)) as revenue_{{ model }},
        cast(
            cast(coalesce(earning.revenue_{{ model }}, 0) as double)
            / nullif(spending.whole_spend, 0)
            as decimal(18, 4)
        ) as roas_{{ model }},
        {%- endfor %}
        cast(
            cast(spending.whole_spend as double) / nullif(earning.new_customers, 0)
            as decimal(18, 2)
        ) as cost_per_new_customer,
        months.month < cast(date_trunc('month', as_of.as_of) as date) as is_whole_month
    from months
    cross join as_of
    left join campaigns on months.campaign_key = campaigns.campaign_key
    left join spending
        on months.campaign_key = spending.campaign_key and months.month = spending.month
    left join touching
        on months.campaign_key = touching.campaign_key and months.month = touching.month
    left join earning
        on months.campaign_key = earning.campaign_key and months.month = earning.month

)

select * from final
