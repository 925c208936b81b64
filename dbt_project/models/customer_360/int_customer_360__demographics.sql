{# One row per customer and demographic dimension: what a source says of them, or unknown. #}

with

profiles as (

    select * from {{ ref('customer_profiles') }}

),

stated as (

    select
        customer_id,
        field,
        last_told_on as stated_on
    from {{ ref('profile_values') }}
    where preference = 1

),

occupations as (

    select * from {{ ref('int_customer_360__occupations') }}

),

home_segments as (

    select * from {{ ref('int_customer_360__home_segments') }}
    where is_now

),

age_bands as (

    select * from {{ ref('age_bands') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

ages as (

    select
        profiles.customer_id,
        age_bands.segment,
        profiles.birth_date_source,
        cast(
            profiles.birth_date + age_bands.age_from * interval '1' year as date
        ) as entered_on
    from profiles
    cross join as_of
    inner join age_bands
        on
            cast(profiles.birth_date + age_bands.age_from * interval '1' year as date)
            <= as_of.as_of
            and cast(
                profiles.birth_date + (age_bands.age_to + 1) * interval '1' year as date
            ) > as_of.as_of

),

final as (

    select
        profiles.customer_id,
        'age_band' as dimension,
        coalesce(ages.segment, 'unknown') as segment,
        case
            when ages.segment is null then 'no source gives a believable date of birth'
            else concat_ws(' ', 'date of birth by', ages.birth_date_source)
        end as reason,
        ages.entered_on
    from profiles
    left join ages on profiles.customer_id = ages.customer_id
    union all
    select
        profiles.customer_id,
        'gender' as dimension,
        coalesce(profiles.gender, 'unknown') as segment,
        case
            when profiles.gender is null then 'no source says'
            else concat_ws(' ', 'as stated in', profiles.gender_source)
        end as reason,
        stated.stated_on as entered_on
    from profiles
    left join stated on profiles.customer_id = stated.customer_id and stated.field = 'gender'
    union all
    select
        profiles.customer_id,
        'occupation' as dimension,
        coalesce(occupations.segment, 'unknown') as segment,
        case
            when coalesce(occupations.segment, 'unknown') = 'unknown'
                then 'no source says, or too few have it'
            else concat_ws(' ', 'job title by', profiles.job_title_source)
        end as reason,
        case when occupations.segment <> 'unknown' then stated.stated_on end as entered_on
    from profiles
    left join occupations on profiles.job_title = occupations.job_title
    left join stated
        on profiles.customer_id = stated.customer_id and stated.field = 'job_title'
    union all
    {# Who is unknown because too few live there must not be told from who said nothing. #}
    select
        home_segments.customer_id,
        home_segments.dimension,
        home_segments.segment,
        case
            when home_segments.segment = 'unknown' then 'no source says, or too few live there'
            else home_segments.reason
        end as reason,
        case when home_segments.segment <> 'unknown' then stated.stated_on end as entered_on
    from home_segments
    left join stated
        on
            home_segments.customer_id = stated.customer_id
            and stated.field
            = case when home_segments.dimension = 'country' then 'country' else 'address' end

)

select * from final
