{#
One row per customer and span in which a country, a gender or a wish about being contacted was told,
as is known now. What follows another may say the same again.
#}

with

history as (

    select * from {{ ref('profile_history') }}
    where known_to = cast('9999-12-31' as date)

),

countries as (

    select * from {{ ref('countries') }}

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
        history.customer_id,
        'demographic' as segment_kind,
        history.field as dimension,
        case when history.field = 'gender' then history.value else countries.country_code end
            as segment,
        concat_ws(' ', 'as stated in', history.source) as reason,
        history.valid_from as told_on,
        history.valid_to as told_until
    from history
    left join countries on history.value = countries.country
    where history.field in ('gender', 'country')
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
