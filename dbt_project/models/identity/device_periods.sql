{#
One row per device and period in which one person, or nobody known, used it.

Any sender can name a device like one of ours and its owner: its slashes are told from ours.
#}

with

events as (

    select * from {{ ref('stg_web__events') }}
    where not is_bot and not is_internal and anonymous_id is not null

),

guests as (

    select * from {{ ref('stg_shop__order_contacts') }}

),

devices as (

    select distinct anonymous_id
    from events

),

stays as (

    select
        anonymous_id,
        user_id,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from events
    where user_id is not null
    group by anonymous_id, user_id

),

ordered as (

    select
        *,
        count(*) over (partition by anonymous_id) as people,
        row_number() over (
            partition by anonymous_id order by first_seen_at asc nulls last, user_id asc nulls last
        ) as place,
        lag(last_seen_at) over (
            partition by anonymous_id order by first_seen_at asc nulls last, user_id asc nulls last
        ) as previous_last_seen_at
    from stays

),

{# People who take turns share a device; a few who follow each other have handed it on. #}
handed_on as (

    select anonymous_id
    from ordered
    group by anonymous_id
    having
        max(people) <= {{ var('device_owners') }}
        and not bool_or(coalesce(first_seen_at <= previous_last_seen_at, false))

),

{# Visits before a login are the next owner's, back to the last login of the one before. #}
periods as (

    select
        ordered.anonymous_id,
        ordered.user_id,
        ordered.place,
        ordered.people,
        ordered.previous_last_seen_at as after_at,
        case when ordered.place < ordered.people then ordered.last_seen_at end as until_at
    from ordered
    inner join handed_on on ordered.anonymous_id = handed_on.anonymous_id

),

told as (

    select
        events.anonymous_id,
        coalesce(events.email, guests.email) as email
    from events
    left join guests
        on events.order_id = guests.order_id and events.event_name = 'Order Completed'

),

{# Where nobody logs in, the only mailbox that a form or a guest's order tells is the user's. #}
mailboxes as (

    select
        told.anonymous_id,
        min(told.email) as email
    from told
    left join stays on told.anonymous_id = stays.anonymous_id
    where told.email is not null and stays.anonymous_id is null
    group by told.anonymous_id
    having count(distinct told.email) = 1

),

final as (

    select
        devices.anonymous_id,
        'web:visitor:' || replace(replace(devices.anonymous_id, '~', '~0'), '/', '~1')
        || case when periods.place > 1 then '/' || periods.user_id else '' end as record_key,
        periods.user_id,
        mailboxes.email,
        periods.after_at,
        periods.until_at,
        coalesce(periods.people > 1, false) as is_handed_on
    from devices
    left join periods on devices.anonymous_id = periods.anonymous_id
    left join mailboxes on devices.anonymous_id = mailboxes.anonymous_id

)

select * from final
