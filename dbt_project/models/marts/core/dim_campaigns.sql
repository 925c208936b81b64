{# One row per campaign that was advertised or sent, of every tool. #}

with

ads as (

    select * from {{ ref('stg_ads__campaigns') }}

),

emails as (

    select * from {{ ref('stg_email__campaigns') }}

),

final as (

    select
        'ads:' || campaign_id as campaign_key,
        'ads' as source,
        campaign_id,
        campaign_name,
        channel as marketing_channel,
        platform,
        objective,
        cast(null as string) as subject,
        started_on,
        ended_on
    from ads
    union all
    select
        'email:' || campaign_id as campaign_key,
        'email' as source,
        campaign_id,
        campaign_name,
        'email' as marketing_channel,
        'email' as platform,
        null as objective,
        subject,
        cast(sent_at as date) as started_on,
        cast(sent_at as date) as ended_on
    from emails

)

select * from final
