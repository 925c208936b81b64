{#
One row per customer and stay in a segment that follows from what was told of them: demographic, or
a declared wish. Age bands that were over before anybody told the date of birth are left out.
#}

with

told as (

    select * from {{ ref('int_customer_360__told') }}

),

birth_dates as (

    select * from {{ ref('profile_history') }}
    where field = 'birth_date' and known_to = cast('9999-12-31' as date)

),

profiles as (

    select * from {{ ref('customer_profiles') }}
    where birth_date is not null

),

age_bands as (

    select * from {{ ref('age_bands') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

compared as (

    select
        told.*,
        case
            when
                told.segment = lag(told.segment) over earlier
                and told.told_on = lag(told.told_until) over earlier
                then 0
            else 1
        end as is_entry
    from told
    cross join as_of
    where told.segment is not null and told.told_on <= as_of.as_of
    window
        earlier as (
            partition by told.customer_id, told.dimension order by told.told_on asc nulls last
        )

),

numbered as (

    select
        *,
        sum(is_entry) over (
            partition by customer_id, dimension
            order by told_on asc nulls last rows unbounded preceding
        ) as stay
    from compared

),

told_stays as (

    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        max(case when is_entry = 1 then reason end) as entered_because,
        min(told_on) as entered_on,
        max(told_until) as left_on,
        'told otherwise, taken back, or too long ago' as left_because
    from numbered
    group by customer_id, segment_kind, dimension, segment, stay

),

ages_told as (

    select
        customer_id,
        min(valid_from) as told_on
    from birth_dates
    group by customer_id

),

age_stays as (

    select
        profiles.customer_id,
        'demographic' as segment_kind,
        'age_band' as dimension,
        age_bands.segment,
        concat_ws(' ', 'date of birth by', profiles.birth_date_source) as entered_because,
        cast(
            profiles.birth_date + age_bands.age_from * interval '1' year as date
        ) as entered_on,
        cast(
            profiles.birth_date + (age_bands.age_to + 1) * interval '1' year as date
        ) as left_on,
        'birthday' as left_because,
        ages_told.told_on
    from profiles
    inner join ages_told on profiles.customer_id = ages_told.customer_id
    cross join age_bands

),

stays as (

    select * from told_stays
    union all
    select
        customer_id,
        segment_kind,
        dimension,
        segment,
        entered_because,
        entered_on,
        left_on,
        left_because
    from age_stays
    where left_on > told_on

),

final as (

    select
        stays.customer_id,
        stays.segment_kind,
        stays.dimension,
        stays.segment,
        stays.entered_because,
        stays.entered_on,
        case when stays.left_on <= as_of.as_of then stays.left_on end as left_on,
        stays.left_because
    from stays
    cross join as_of
    where stays.entered_on <= as_of.as_of

)

select * from final
