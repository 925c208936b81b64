{# One row per visit as a touch of marketing, with the campaign of ours that brought it, if any. #}
{{ config(materialized='view') }}

with

sessions as (

    select * from {{ ref('fct_sessions') }}

),

email_clicks as (

    select * from {{ ref('int_behaviour__email_clicks') }}
    where customer_id is not null

),

campaigns as (

    select * from {{ ref('int_behaviour__named_campaigns') }}

),

{# Of a name, the campaign that had begun last is meant, of the visit's channel if it has one. #}
matched as (

    select
        sessions.*,
        coalesce(by_id.campaign_key, by_channel.campaign_key, by_name.campaign_key)
            as campaign_key,
        coalesce(
            by_id.marketing_channel, by_channel.marketing_channel, by_name.marketing_channel
        ) as campaign_channel
    from sessions
    left join campaigns as by_id
        on
            sessions.campaign_id = by_id.campaign_id
            and (sessions.marketing_channel = 'email') = by_id.is_email
    left join campaigns as by_channel
        on
            lower(sessions.campaign_name) = by_channel.name
            and (sessions.marketing_channel = 'email') = by_channel.is_email
            and sessions.marketing_channel = by_channel.marketing_channel
            and (
                by_channel.place_of_channel = 1
                or cast(sessions.started_at as date) >= by_channel.started_on
            )
            and (
                by_channel.next_of_channel is null
                or cast(sessions.started_at as date) < by_channel.next_of_channel
            )
    left join campaigns as by_name
        on
            lower(sessions.campaign_name) = by_name.name
            and (sessions.marketing_channel = 'email') = by_name.is_email
            and (
                by_name.place_of_name = 1
                or cast(sessions.started_at as date) >= by_name.started_on
            )
            and (
                by_name.next_of_name is null
                or cast(sessions.started_at as date) < by_name.next_of_name
            )

),

{# The visit that a click in an e-mail begins is the same touch as the click. #}
begun_by_clicks as (

    select distinct matched.session_id
    from matched
    inner join email_clicks
        on
            matched.customer_id = email_clicks.customer_id
            and matched.campaign_key = email_clicks.campaign_key
            and matched.started_at >= email_clicks.occurred_at - interval '5' minute
            and matched.started_at <= email_clicks.occurred_at + interval '60' minute

),

final as (

    select
        matched.session_id,
        matched.customer_id,
        matched.started_at as occurred_at,
        coalesce(matched.campaign_channel, matched.marketing_channel) as marketing_channel,
        matched.campaign_key,
        matched.campaign_name,
        begun_by_clicks.session_id is not null as is_email_click
    from matched
    left join begun_by_clicks on matched.session_id = begun_by_clicks.session_id

)

select * from final
