{#
One row per kept rule and customer who followed it: the places of `int_marketing__places` that a kept
Y took, found without going through all others.
#}

with

kept as (

    select * from {{ ref('int_marketing__kept_sequences') }}

),

purchases as (

    select * from {{ ref('int_marketing__first_purchases') }}

),

final as (

    select
        kept.first_product_id,
        kept.then_product_id,
        purchases.customer_id,
        purchases.kind,
        {{ epoch_seconds('purchases.bought_at') }} - {{ epoch_seconds('windows.bought_at') }}
            as gap_seconds
    from kept
    inner join purchases as windows on kept.first_product_id = windows.product_id
    inner join purchases
        on
            kept.then_product_id = purchases.product_id
            and windows.customer_id = purchases.customer_id
            and windows.bought_at < purchases.bought_at
            and windows.bought_at + interval '{{ var("sequence_days") }}' day
            >= purchases.bought_at

)

select * from final
