{# One row per customer, purpose and channel: the latest decision. No row means no consent. #}

with

decisions as (

    select * from {{ ref('consent_decisions') }}
    where recency = 1

),

final as (

    select
        customer_id,
        purpose,
        channel,
        is_granted,
        decided_at,
        source
    from decisions

)

select * from final
