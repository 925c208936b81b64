{#
One row per customer and home: the one their profile has now, and those they have told of, each with
its region. A home without a country is in no place.
#}

with

profiles as (

    select * from {{ ref('customer_profiles') }}

),

told_homes as (

    select * from {{ ref('int_customer_360__told_homes') }}

),

postcode_regions as (

    select * from {{ ref('postcode_regions') }}

),

homes as (

    select
        customer_id,
        country_code,
        city,
        upper(translate(postcode, ' -', '')) as postcode,
        concat_ws(
            '; ', 'country by ' || country_source, 'address by ' || address_source
        ) as reason,
        cast(null as date) as told_on,
        cast(null as date) as told_until,
        true as is_now
    from profiles
    union all
    select
        customer_id,
        country_code,
        city,
        upper(translate(postcode, ' -', '')) as postcode,
        reason,
        told_on,
        told_until,
        false as is_now
    from told_homes

),

postcodes as (

    select distinct
        country_code,
        postcode
    from homes
    where country_code is not null and postcode is not null

),

digits as (

    select
        country_code,
        max(digits) as digits
    from postcode_regions
    group by country_code

),

{# A spreadsheet takes the zeros that a number begins with. #}
whole_postcodes as (

    select
        postcodes.country_code,
        postcodes.postcode,
        lpad(
            postcodes.postcode,
            cast(coalesce(digits.digits, length(postcodes.postcode)) as int),
            '0'
        ) as whole_postcode
    from postcodes
    inner join digits on postcodes.country_code = digits.country_code

),

{# Of the ranges that fit, the one that says most of the postcode. #}
fitting as (

    select
        whole_postcodes.country_code,
        whole_postcodes.postcode,
        postcode_regions.region,
        row_number() over (
            partition by whole_postcodes.country_code, whole_postcodes.postcode
            order by length(postcode_regions.postcode_from) desc
        ) as place
    from whole_postcodes
    inner join postcode_regions
        on
            whole_postcodes.country_code = postcode_regions.country_code
            and substr(whole_postcodes.whole_postcode, 1, length(postcode_regions.postcode_from))
            between postcode_regions.postcode_from and postcode_regions.postcode_to

),

final as (

    select
        homes.customer_id,
        homes.country_code,
        fitting.region,
        case when homes.country_code is not null then {{ fold_name('homes.city') }} end
            as city_key,
        homes.city,
        homes.country_code is not null
        and (homes.city is not null or homes.postcode is not null) as has_address,
        homes.reason,
        homes.told_on,
        homes.told_until,
        homes.is_now
    from homes
    left join fitting
        on
            homes.country_code = fitting.country_code
            and homes.postcode = fitting.postcode
            and fitting.place = 1

)

select * from final
