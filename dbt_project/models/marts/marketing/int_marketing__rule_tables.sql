{#
One row per kept rule and kind of purchase: its table of two by two.

`followers` are the places in the windows of X that Y took, `others` those it did not; `elsewhere`
are first purchases of Y outside these windows, `rest` those of anything else.
#}

with

kept as (

    select * from {{ ref('int_marketing__kept_sequences') }}

),

purchases_by_kind as (

    select * from {{ ref('int_marketing__purchases_by_kind') }}

),

places_by_kind as (

    select * from {{ ref('int_marketing__places_by_kind') }}

),

followers as (

    select
        first_product_id,
        then_product_id,
        kind,
        count(*) as followers
    from {{ ref('int_marketing__followers') }}
    group by first_product_id, then_product_id, kind

),

counted as (

    select
        kept.first_product_id,
        kept.then_product_id,
        purchases_by_kind.kind,
        purchases_by_kind.purchases_of_kind,
        purchases_by_kind.purchases,
        places_by_kind.places,
        coalesce(followers.followers, 0) as followers
    from kept
    inner join places_by_kind on kept.first_product_id = places_by_kind.first_product_id
    inner join purchases_by_kind
        on
            kept.then_product_id = purchases_by_kind.product_id
            and places_by_kind.kind = purchases_by_kind.kind
    left join followers
        on
            kept.first_product_id = followers.first_product_id
            and kept.then_product_id = followers.then_product_id
            and purchases_by_kind.kind = followers.kind

),

final as (

    select
        first_product_id,
        then_product_id,
        kind,
        purchases_of_kind,
        followers,
        places - followers as others,
        purchases - followers as elsewhere,
        purchases_of_kind - places - purchases + followers as rest
    from counted

)

select * from final
