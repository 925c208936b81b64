{#
One row per country, region and town that a customer has or had: how many live there, and whether so
many do that it is named where people are counted. The rest of a region counts as the region.
#}

{% set least = var('smallest_group') %}

with

homes as (

    select * from {{ ref('int_customer_360__homes') }}

),

{# Of two spellings the one with capitals and small letters is shown. #}
towns as (

    select
        country_code,
        region,
        city_key,
        has_address,
        coalesce(
            min(case when city <> upper(city) and city <> lower(city) then city end), min(city)
        ) as city,
        sum(case when is_now then 1 else 0 end) as residents
    from homes
    group by country_code, region, city_key, has_address

),

towns_named as (

    select
        *,
        city_key is not null and residents >= {{ least }} as has_city
    from towns

),

regions_named as (

    select
        *,
        has_city
        or (
            region is not null
            and sum(case when has_city then 0 else residents end)
                over (partition by country_code, region)
            >= {{ least }}
        ) as has_region
    from towns_named

),

rest_of_countries as (

    select
        *,
        sum(case when has_address and not has_region then residents else 0 end)
            over (partition by country_code) as addressed,
        sum(case when has_address then 0 else residents end)
            over (partition by country_code) as addressless
    from regions_named

),

final as (

    select
        country_code,
        region,
        city_key,
        has_address,
        city,
        cast(residents as bigint) as residents,
        has_city,
        has_region,
        country_code is not null
        and (has_region or addressed + addressless >= {{ least }}) as has_country,
        has_address
        and addressed >= {{ least }}
        and (addressless = 0 or addressless >= {{ least }}) as is_elsewhere_in_country
    from rest_of_countries

)

select * from final
