{#
One row per version of a record and field of a customer: the value it gives, null when it has taken
back what an earlier version gave. Street, town and postcode are one field, so that they never mix.
#}

{% set fields = [
    ('first_name', 'first_name', fold_name('first_name')),
    ('last_name', 'last_name', fold_name('last_name')),
    ('email', 'email', 'email'),
    ('phone', 'phone_e164', 'phone_e164'),
    ('gender', 'gender', 'gender'),
    ('birth_date', 'cast(birth_date as string)', 'cast(birth_date as string)'),
    ('job_title', 'job_title', fold_name('job_title')),
    ('country', 'country', 'coalesce(country_code, lower(country))'),
    (
        'address',
        "nullif(concat_ws(', ', street, concat_ws(' ', postcode, city)), '')",
        fold_name("concat_ws('|', street, postcode, city)"),
    ),
] %}

with

versions as (

    select * from {{ ref('int_profiles__versions') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

records as (

    select * from {{ ref('int_identity__records') }}

),

phone_numbers as (

    select * from {{ ref('int_identity__phone_numbers') }}
    where phone_e164 is not null
    union all
    select * from {{ ref('int_profiles__new_phone_numbers') }}
    where phone_e164 is not null

),

countries as (

    select * from {{ ref('countries') }}

),

known as (

    select
        versions.*,
        identity_map.customer_id,
        phone_numbers.phone_e164,
        countries.country_code,
        versions.is_whole
        and versions.told_at > min(versions.told_at) over (partition by versions.record_key)
            as is_correction
    from versions
    inner join identity_map on versions.record_key = identity_map.record_key
    inner join records on versions.record_key = records.record_key
    left join phone_numbers
        on
            versions.phone = phone_numbers.phone
            and coalesce(versions.country, records.country)
            is not distinct from phone_numbers.country
    left join countries on versions.country = countries.country

),

claims as (
    {% for field, value, key in fields %}
    select
        customer_id,
        record_key,
        source,
        '{{ field }}' as field,
        {{ value }} as value,
        {{ key }} as value_key,
        {% for part in ['street', 'city', 'postcode'] %}
        {{ part if field == 'address' else 'cast(null as string) as ' ~ part }},
        {% endfor %}
        told_at,
        loaded_at,
        is_correction
    from known
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (

    select
        customer_id,
        record_key,
        source,
        field,
        value,
        case when value is not null then value_key end as value_key,
        street,
        city,
        postcode,
        told_at,
        loaded_at,
        cast(told_at as date) as told_on,
        cast(loaded_at as date) as known_on
    from claims
    where value is not null or is_correction

)

select * from final
