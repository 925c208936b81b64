{#
One row per customer and age band they are or will be in, or have been in since somebody told the
date of birth. The bands follow today's date: one that is told otherwise later moves all of them.
#}

with

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

final as (

    select {{ all_but(['told_on']) }} from age_stays
    where left_on > told_on

)

select * from final
