{#
One row: the day the evidence reaches. Recency is counted back from it, never from a clock.

A row with an impossible time must not move it: everybody else would look lapsed.
#}

with

order_lines as (

    select max(ordered_at) as seen_at from {{ ref('stg_shop__order_lines') }}
    where {{ impossible_time('ordered_at', 'loaded_at') }} is null

),

receipt_lines as (

    select max(sold_at) as seen_at from {{ ref('stg_pos__receipt_lines') }}
    where {{ impossible_time('sold_at', 'loaded_at') }} is null

),

events as (

    select max(received_at) as seen_at from {{ ref('stg_web__events') }}
    where {{ impossible_time('received_at', 'loaded_at') }} is null

),

seen as (

    select seen_at from order_lines
    union all
    select seen_at from receipt_lines
    union all
    select seen_at from events

),

final as (

    select cast(max(seen_at) as date) as as_of from seen

)

select * from final
