{# One row per field and value that is not plainly usable, with what is wrong and what follows. #}

with

claims as (

    select
        field,
        value_key,
        min(street) as street,
        min(city) as city,
        min(postcode) as postcode
    from {{ ref('int_profiles__claims') }}
    where value_key is not null
    group by field, value_key

),

value_qualities as (

    select * from {{ ref('value_qualities') }}

),

matched_values as (

    select * from {{ ref('int_profiles__matched_values') }}

),

phone_numbers as (

    select * from {{ ref('int_identity__phone_numbers') }}
    where phone_line in ('fixed', 'unassigned')
    union all
    select * from {{ ref('int_profiles__new_phone_numbers') }}
    where phone_line in ('fixed', 'unassigned')

),

found as (

    select * from matched_values
    union all
    select distinct
        'phone' as field,
        phone_e164 as value_key,
        case when phone_line = 'fixed' then 'landline' else 'unassigned number' end as quality
    from phone_numbers
    union all
    select
        field,
        value_key,
        'incomplete' as quality
    from claims
    where field = 'address' and (street is null or city is null or postcode is null)
    union all
    select
        field,
        value_key,
        'impossible' as quality
    from claims
    where
        field = 'birth_date'
        and (
            value_key > cast({{ today() }} as string)
            or value_key < cast(cast({{ today() }} - interval '120' year as date) as string)
        )

),

ranked as (

    select
        found.field,
        found.value_key,
        found.quality,
        coalesce(value_qualities.use, 'never') as use,
        row_number() over (
            partition by found.field, found.value_key
            order by
                case when value_qualities.use = 'last_resort' then 1 else 0 end asc nulls last,
                found.quality asc nulls last
        ) as place
    from found
    left join value_qualities
        on found.field = value_qualities.field and found.quality = value_qualities.quality

),

final as (

    select {{ all_but(['place']) }} from ranked
    where place = 1

)

select * from final
