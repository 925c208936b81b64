{#
One row per customer, dimension, item and day on which the value crossed a threshold of a level, and
the latest reading. All others change no level.
#}

with

readings as (

    select * from {{ ref('int_customer_360__readings') }}

),

levels as (

    select * from {{ ref('segment_levels') }}

),

thresholds as (

    select
        dimension,
        enter_from as threshold
    from levels
    union distinct
    select
        dimension,
        leave_below as threshold
    from levels

),

{# Between two thresholds nothing is judged otherwise. #}
bands as (

    select
        dimension,
        threshold,
        lead(threshold)
            over (partition by dimension order by threshold asc nulls last)
            as next_threshold
    from thresholds

),

placed as (

    select
        readings.*,
        bands.threshold,
        lag(bands.threshold) over following as previous_threshold,
        lead(readings.read_on) over following is null as is_latest
    from readings
    left join bands
        on
            readings.dimension = bands.dimension
            and readings.value >= bands.threshold
            and (bands.next_threshold is null or readings.value < bands.next_threshold)
    window
        following as (
            partition by readings.customer_id, readings.dimension, readings.item
            order by readings.read_on asc nulls last
        )

),

final as (

    select
        customer_id,
        dimension,
        item,
        read_on,
        value,
        is_latest
    from placed
    where is_latest or threshold is distinct from previous_threshold

)

select * from final
