{# One row per change of a customer id: create, merge, split, revive, retire or cut. #}

with

events as (

    select * from {{ source('identity', 'customer_id_events') }}

),

final as (

    select
        refresh,
        happened_at,
        kind,
        customer_id,
        other_customer_id,
        records,
        cause,
        rules_version
    from events

)

select * from final
