{#
One row per campaign with the span of days in which its name means it, of all and of those of its
channel.

A name is used again, in another year or channel. The first campaign also holds before its day.
#}

with

campaigns as (

    select
        campaign_key,
        campaign_id,
        lower(campaign_name) as name,
        source = 'email' as is_email,
        marketing_channel,
        coalesce(started_on, cast('1900-01-01' as date)) as started_on
    from {{ ref('dim_campaigns') }}

),

final as (

    select
        campaign_key,
        campaign_id,
        name,
        is_email,
        marketing_channel,
        started_on,
        row_number() over of_name as place_of_name,
        lead(started_on) over of_name as next_of_name,
        row_number() over of_channel as place_of_channel,
        lead(started_on) over of_channel as next_of_channel
    from campaigns
    window
        of_name as (
            partition by is_email, name
            order by started_on asc nulls last, campaign_key asc nulls last
        ),
        of_channel as (
            partition by is_email, name, marketing_channel
            order by started_on asc nulls last, campaign_key asc nulls last
        )

)

select * from final
