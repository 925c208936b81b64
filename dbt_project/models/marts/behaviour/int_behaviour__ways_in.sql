{# One row per way in (medium, source, referrer, click id's name) and the channel it counts as. #}

with

events as (

    select * from {{ ref('stg_web__events') }}

),

rules as (

    select
        priority,
        channel,
        coalesce(nullif(medium_like, ''), '%') as medium_like,
        coalesce(nullif(source_like, ''), '%') as source_like,
        coalesce(nullif(referrer_like, ''), '%') as referrer_like,
        coalesce(nullif(click_id_name, ''), '%') as click_id_like
    from {{ ref('channel_rules') }}

),

{# As they came, before they are brought into one shape: there are few of them. #}
given as (

    select
        campaign_medium,
        campaign_source,
        referrer_host,
        click_id_name
    from events
    group by campaign_medium, campaign_source, referrer_host, click_id_name

),

ways_in as (

    select
        lower(coalesce(campaign_medium, '')) as medium,
        lower(coalesce(campaign_source, '')) as source,
        coalesce(referrer_host, '') as referrer_host,
        coalesce(click_id_name, '') as click_id_name
    from given
    group by
        lower(coalesce(campaign_medium, '')),
        lower(coalesce(campaign_source, '')),
        coalesce(referrer_host, ''),
        coalesce(click_id_name, '')

),

{# Many rules may fit a way in; the one of the lowest priority speaks. #}
fitting as (

    select
        ways_in.medium,
        ways_in.source,
        ways_in.referrer_host,
        ways_in.click_id_name,
        rules.channel,
        row_number() over (
            partition by
                ways_in.medium, ways_in.source, ways_in.referrer_host, ways_in.click_id_name
            order by rules.priority asc nulls last
        ) as place
    from ways_in
    inner join rules
        on
            ways_in.medium like rules.medium_like
            and ways_in.source like rules.source_like
            and ways_in.referrer_host like rules.referrer_like
            and ways_in.click_id_name like rules.click_id_like

),

final as (

    select {{ all_but(['place']) }} from fitting
    where place = 1

)

select * from final
