{# One row per web or app event, with the customer who did it and the visit it belongs to. #}

with

events as (

    select * from {{ ref('stg_web__events') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

visitors as (

    select
        record_key,
        customer_id
    from identity_map
    where record_key like 'web:visitor:%'

),

users as (

    select
        record_key,
        customer_id
    from identity_map
    where record_key like 'web:user:%'

),

{# Who is logged in is who did it; before the login the device tells. #}
attributed as (

    select
        events.*,
        coalesce(users.customer_id, visitors.customer_id) as customer_id,
        coalesce(users.customer_id, visitors.customer_id, events.anonymous_id, events.user_id)
            as visitor_id
    from events
    left join visitors on visitors.record_key = 'web:visitor:' || events.anonymous_id
    left join users on users.record_key = 'web:user:' || events.user_id

),

gaps as (

    select
        *,
        lag(occurred_at) over (
            partition by visitor_id, anonymous_id order by occurred_at asc, message_id asc
        ) as previous_at
    from attributed

),

numbered as (

    select
        *,
        sum(
            case
                when previous_at is null then 1
                when
                    occurred_at
                    > previous_at + interval '{{ var("session_timeout_minutes") }}' minute
                    then 1
                else 0
            end
        ) over (
            partition by visitor_id, anonymous_id
            order by occurred_at asc, message_id asc
            rows between unbounded preceding and current row
        ) as visit_number
    from gaps

),

final as (

    select
        message_id,
        {{ surrogate_key(['visitor_id', 'anonymous_id', 'visit_number']) }} as session_id,
        customer_id,
        anonymous_id,
        event_type,
        event_name,
        occurred_at,
        received_at,
        page_path,
        referrer,
        campaign_source,
        campaign_medium,
        campaign_name,
        stock_code,
        order_id,
        is_bot,
        is_internal
    from numbered

)

select * from final
