{#
One row per customer and span in which a place, a gender or a wish about being contacted was told, as
is known now. What follows another may say the same again.
#}

with

history as (

    select * from {{ ref('profile_history') }}
    where field = 'gender' and known_to = cast('9999-12-31' as date)

),

home_segments as (

    select * from {{ ref('int_customer_360__home_segments') }}
    where not is_now

),

decisions as (

    select * from {{ ref('consent_decisions') }}
    where decided_at is not null

),

{# The last word of a day counts. #}
decisions_of_day as (

    select
        *,
        cast(decided_at as date) as decided_on,
        row_number() over (
            partition by customer_id, purpose, channel, cast(decided_at as date)
            order by recency asc nulls last
        ) as recency_of_day
    from decisions

),

final as (

    select
        customer_id,
        'demographic' as segment_kind,
        field as dimension,
        value as segment,
        concat_ws(' ', 'as stated in', source) as reason,
        valid_from as told_on,
        valid_to as told_until
    from history
    union all
    select
        customer_id,
        'demographic' as segment_kind,
        dimension,
        case when segment <> 'unknown' then segment end as segment,
        reason,
        told_on,
        told_until
    from home_segments
    union all
    select
        customer_id,
        'psychographic' as segment_kind,
        concat_ws(' ', 'declared', purpose, 'by', channel) as dimension,
        case when is_granted then 'wishes it' else 'does not wish it' end as segment,
        concat_ws(' ', 'decision in', source) as reason,
        decided_on as told_on,
        lead(decided_on, 1, cast('9999-12-31' as date)) over (
            partition by customer_id, purpose, channel order by decided_on asc nulls last
        ) as told_until
    from decisions_of_day
    where recency_of_day = 1

)

select * from final
