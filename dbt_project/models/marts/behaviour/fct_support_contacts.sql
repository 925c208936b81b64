{# One row per ticket of the help desk, with who asked and how it ended. #}

with

tickets as (

    select * from {{ ref('stg_support__tickets') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

final as (

    select
        tickets.ticket_id,
        identity_map.customer_id,
        tickets.channel,
        tickets.subject,
        tickets.status,
        tickets.priority,
        tickets.satisfaction,
        'shop:' || tickets.order_id as order_id,
        tickets.created_at as opened_at,
        tickets.solved_at,
        cast(
            ({{ epoch_seconds('tickets.solved_at') }} - {{ epoch_seconds('tickets.created_at') }})
            / 3600 as decimal(18, 1)
        ) as hours_to_solve
    from tickets
    left join identity_map
        on identity_map.record_key = 'support:user:' || tickets.support_user_id

)

select * from final
