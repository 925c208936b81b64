{# One row per source, version of the tracking plan, event, rule that was broken and day. #}

with

violations as (

    select * from {{ ref('stg_web__violations') }}

),

totals as (

    select
        source,
        plan_version,
        event_name,
        property,
        rule,
        action,
        received_on,
        sum(event_count) as events,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(example_message_id) as example_event_id
    from violations
    group by source, plan_version, event_name, property, rule, action, received_on

),

final as (

    select
        {{
            surrogate_key([
                'source', 'plan_version', 'event_name', 'property', 'rule', 'action', 'received_on'
            ])
        }} as violation_id,
        source,
        plan_version,
        event_name,
        property,
        rule,
        action,
        received_on,
        cast(events as bigint) as events,
        first_seen_at,
        last_seen_at,
        example_event_id
    from totals

)

select * from final
