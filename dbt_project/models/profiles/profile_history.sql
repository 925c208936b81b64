{#
One row per customer, field and span of two times in which one value was believed: what held on a
day (valid), by what had been loaded until a day (known). Told with the rules and the identity of
now. Spans end before their `_to`.
#}
{{ config(
    materialized='by_key',
    key='customer_id',
    inputs={
        'int_profiles__evidence': {'key': 'customer_id'},
        'int_profiles__name_variants': {'key': 'customer_id'}
    }
) }}

with

evidence as (

    select * from {{ ref('int_profiles__evidence') }}

),

name_variants as (

    select * from {{ ref('int_profiles__name_variants') }}

),

{# What is believed can change on the day that something is told, or that it is too old. #}
ticks as (

    select
        customer_id,
        field,
        told_on as ticked_on,
        min(known_on) as known_on
    from evidence
    group by customer_id, field, told_on
    union all
    select
        customer_id,
        field,
        date_add(told_on, cast(max_age_days + 1 as int)) as ticked_on,
        min(known_on) as known_on
    from evidence
    where max_age_days < 999999
    group by customer_id, field, told_on, max_age_days

),

{# A day of loading changes nothing before the earliest day that it tells of. #}
loads as (

    select
        customer_id,
        field,
        known_on,
        min(told_on) as reaches_back_to
    from evidence
    group by customer_id, field, known_on

),

moments as (

    select
        loads.customer_id,
        loads.field,
        loads.known_on as known_from,
        loads.reaches_back_to,
        ticks.ticked_on as valid_from,
        lead(ticks.ticked_on) over (
            partition by loads.customer_id, loads.field, loads.known_on
            order by ticks.ticked_on asc nulls last
        ) as next_tick
    from loads
    inner join ticks
        on
            loads.customer_id = ticks.customer_id
            and loads.field = ticks.field
            and loads.known_on >= ticks.known_on
    group by
        loads.customer_id, loads.field, loads.known_on, loads.reaches_back_to, ticks.ticked_on

),

{# The last span begins before the load reaches back and is cut short by it. #}
opened as (

    select
        customer_id,
        field,
        known_from,
        valid_from,
        coalesce(next_tick, cast('9999-12-31' as date)) as valid_to
    from moments
    where next_tick is null or next_tick >= reaches_back_to

),

points as (

    select
        opened.customer_id,
        opened.field,
        opened.valid_from,
        opened.valid_to,
        opened.known_from,
        coalesce(min(loads.known_on), cast('9999-12-31' as date)) as known_to
    from opened
    left join loads
        on
            opened.customer_id = loads.customer_id
            and opened.field = loads.field
            and opened.known_from < loads.known_on
            and opened.valid_to >= loads.reaches_back_to
    group by
        opened.customer_id, opened.field, opened.valid_from, opened.valid_to, opened.known_from

),

newest as (

    select
        points.valid_from,
        points.valid_to,
        points.known_from,
        points.known_to,
        evidence.*,
        row_number() over (
            partition by
                evidence.customer_id,
                points.known_from,
                points.valid_from,
                evidence.record_key,
                evidence.field
            order by
                evidence.told_at desc,
                evidence.loaded_at desc,
                evidence.value_key asc nulls last
        ) as version
    from points
    inner join evidence
        on
            points.customer_id = evidence.customer_id
            and points.field = evidence.field
            and points.valid_from >= evidence.told_on
            and points.known_from >= evidence.known_on

),

visible as (

    select * from newest
    where
        version = 1
        and value is not null
        and {{ days_between('told_on', 'valid_from') }} <= max_age_days

),

{{ ranked_values(['valid_from', 'valid_to', 'known_from', 'known_to']) }},

final as (

    select
        customer_id,
        field,
        value,
        street,
        city,
        postcode,
        source,
        all_votes as votes,
        valid_from,
        valid_to,
        known_from,
        known_to
    from ranked
    where place = 1 and defect < 2

)

select * from final
