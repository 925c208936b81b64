{#
One row per customer, dimension, item and day on which the value of the dimension changed.

What counts in a window of days enters on its day and leaves when the window is over: between
those days nothing changes, so every day of the past is known without looking at each. The value is
null where too little happened to say anything.
#}
{{ config(materialized='view') }}

with

activity as (

    select * from {{ ref('int_customer_360__activity') }}

),

dimensions as (

    select * from {{ ref('segment_dimensions') }}

),

interest_readings as (

    select * from {{ ref('int_customer_360__interest_readings') }}

),

rfm_reviews as (

    select * from {{ ref('int_customer_360__rfm_reviews') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

moves as (

    select
        customer_id,
        dimension,
        active_on as read_on,
        amount,
        weight,
        entries
    from activity
    union all
    select
        activity.customer_id,
        activity.dimension,
        cast(activity.active_on + dimensions.window_days * interval '1' day as date) as read_on,
        -activity.amount as amount,
        -activity.weight as weight,
        -activity.entries as entries
    from activity
    inner join dimensions on activity.dimension = dimensions.dimension

),

days as (

    select
        moves.customer_id,
        moves.dimension,
        moves.read_on,
        sum(moves.amount) as amount,
        sum(moves.weight) as weight,
        sum(moves.entries) as entries
    from moves
    cross join as_of
    where moves.read_on <= as_of.as_of
    group by moves.customer_id, moves.dimension, moves.read_on

),

running as (

    select
        customer_id,
        dimension,
        read_on,
        sum(amount) over so_far as amount,
        sum(weight) over so_far as weight,
        sum(entries) over so_far as entries
    from days
    window so_far as (
        partition by customer_id, dimension order by read_on asc nulls last rows unbounded preceding
    )

),

measured as (

    select
        running.customer_id,
        running.dimension,
        running.read_on,
        case
            when running.entries < dimensions.least_entries then null
            when dimensions.factor is null then cast(running.amount as double)
            else round(dimensions.factor * running.amount / nullif(running.weight, 0), 3)
        end as value
    from running
    inner join dimensions on running.dimension = dimensions.dimension

),

final as (

    select
        customer_id,
        dimension,
        '' as item,
        read_on,
        value
    from measured
    union all
    select
        interest_readings.customer_id,
        dimensions.dimension,
        interest_readings.category as item,
        interest_readings.read_on,
        case
            when interest_readings.entries >= dimensions.least_entries
                then interest_readings.share
        end as value
    from interest_readings
    inner join dimensions on dimensions.dimension = 'interest'
    union all
    select
        customer_id,
        'recency' as dimension,
        '' as item,
        reviewed_on as read_on,
        recency_share as value
    from rfm_reviews
    union all
    select
        customer_id,
        'value' as dimension,
        '' as item,
        reviewed_on as read_on,
        value_share as value
    from rfm_reviews
    union all
    {# Who orders is as recent as anybody, whatever day of the week it is. #}
    select
        activity.customer_id,
        'recency' as dimension,
        '' as item,
        activity.active_on as read_on,
        100.0 as value
    from activity
    left join rfm_reviews
        on
            activity.customer_id = rfm_reviews.customer_id
            and activity.active_on = rfm_reviews.reviewed_on
    where activity.dimension = 'purchases' and rfm_reviews.customer_id is null

)

select * from final
