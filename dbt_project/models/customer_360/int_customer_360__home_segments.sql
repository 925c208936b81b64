{#
One row per customer, home and dimension of place, with what the place is called where people are
counted: one of fewer than `smallest_group` customers is part of the next larger one.

The rest of a region, of a country and of the world is held to the same number, so that nothing that
is named, nor a difference of such, tells of fewer. Where the rest is too small beside those who told
no address, or they beside it, all of these are unknown.
#}

{% set least = var('smallest_group') %}

with

homes as (

    select * from {{ ref('int_customer_360__homes') }}

),

places as (

    select * from {{ ref('int_customer_360__places') }}

),

rest_of_world as (

    select
        *,
        sum(case when country_code is not null and not has_country then residents else 0 end)
            over () as placed,
        sum(case when country_code is null then residents else 0 end) over () as placeless
    from places

),

labelled as (

    select
        *,
        case
            when has_country
                then case when is_elsewhere_in_country then 'elsewhere' else 'unknown' end
            when
                country_code is not null
                and placed >= {{ least }}
                and (placeless = 0 or placeless >= {{ least }})
                then 'elsewhere'
            else 'unknown'
        end as rest
    from rest_of_world

),

named as (

    select
        country_code,
        region,
        city_key,
        has_address,
        case when has_country then country_code else rest end as country,
        case
            when has_region and region is not null then concat_ws(', ', region, country_code)
            when has_city then 'elsewhere'
            else rest
        end as region_named,
        case
            when has_city then concat_ws(', ', city, region, country_code)
            when has_region then 'elsewhere'
            else rest
        end as city
    from labelled

),

final as (

    {% for dimension, name in [
        ('country', 'country'), ('region', 'region_named'), ('city', 'city')
    ] %}
    select
        homes.customer_id,
        '{{ dimension }}' as dimension,
        named.{{ name }} as segment,
        homes.reason,
        homes.told_on,
        homes.told_until,
        homes.is_now
    from homes
    inner join named
        on
            homes.country_code is not distinct from named.country_code
            and homes.region is not distinct from named.region
            and homes.city_key is not distinct from named.city_key
            and homes.has_address = named.has_address
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
