{#
One row per customer, dimension, item and day on which its level changed, and its latest reading.

A level is entered at `enter_from` and left only below `leave_below`; in between it stays as it was,
so a small wobble flips nobody. Which of the two happened last is a matter of the readings alone: no
state is kept, and a rebuild comes to what day after day came to.
#}

with

crossings as (

    select * from {{ ref('int_customer_360__crossings') }}

),

levels as (

    select * from {{ ref('segment_levels') }}

),

{# The day in front, the verdict behind: the largest so far is the latest verdict. #}
judged as (

    select
        crossings.customer_id,
        crossings.dimension,
        crossings.item,
        crossings.read_on,
        crossings.value,
        crossings.is_latest,
        levels.level,
        {{ days_between("cast('1970-01-01' as date)", 'crossings.read_on') }} * 2
        + case
            when crossings.value >= levels.enter_from then 1
            when crossings.value is null or crossings.value < levels.leave_below then 0
        end as verdict
    from crossings
    inner join levels on crossings.dimension = levels.dimension

),

latest as (

    select
        *,
        max(verdict) over (
            partition by customer_id, dimension, item, level
            order by read_on asc nulls last rows unbounded preceding
        ) as latest_verdict
    from judged

),

{# A higher level that is not left yet counts, whatever the ones below say. #}
days as (

    select
        customer_id,
        dimension,
        item,
        read_on,
        value,
        is_latest,
        max(case when latest_verdict % 2 = 1 then level end) as level
    from latest
    group by customer_id, dimension, item, read_on, value, is_latest

),

compared as (

    select
        *,
        lag(level) over (
            partition by customer_id, dimension, item order by read_on asc nulls last
        ) as previous_level
    from days

),

final as (

    select
        customer_id,
        dimension,
        item,
        read_on,
        value,
        level,
        coalesce(level, 0) <> coalesce(previous_level, 0) as is_change,
        is_latest
    from compared
    where coalesce(level, 0) <> coalesce(previous_level, 0) or is_latest

)

select * from final
