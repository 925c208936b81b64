{#
One row per customer and span in which a country or an address was told, as is known now. Country and
address survive apart, so a span ends when either does.
#}

with

history as (

    select * from {{ ref('profile_history') }}
    where field in ('country', 'address') and known_to = cast('9999-12-31' as date)

),

countries as (

    select * from {{ ref('countries') }}

),

bounds as (

    select
        customer_id,
        valid_from as told_on
    from history
    union distinct
    select
        customer_id,
        valid_to as told_on
    from history

),

spans as (

    select
        customer_id,
        told_on,
        lead(told_on) over (partition by customer_id order by told_on asc nulls last)
            as told_until
    from bounds

),

{# Of a field one value at most holds on a day: the join multiplies no span. #}
final as (

    select
        spans.customer_id,
        countries.country_code,
        addresses.city,
        addresses.postcode,
        concat_ws(
            '; ', 'country by ' || countries_told.source, 'address by ' || addresses.source
        ) as reason,
        spans.told_on,
        spans.told_until
    from spans
    left join history as countries_told
        on
            spans.customer_id = countries_told.customer_id
            and countries_told.field = 'country'
            and spans.told_on >= countries_told.valid_from
            and spans.told_on < countries_told.valid_to
    left join history as addresses
        on
            spans.customer_id = addresses.customer_id
            and addresses.field = 'address'
            and spans.told_on >= addresses.valid_from
            and spans.told_on < addresses.valid_to
    left join countries on countries_told.value = countries.country
    where spans.told_until is not null

)

select * from final
