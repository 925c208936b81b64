{# One row per customer: the value of each field we believe, and the sources that say so. #}

{% set fields = ['first_name', 'last_name', 'email', 'phone', 'gender', 'country', 'job_title'] %}

with

identity_map as (

    select * from {{ ref('identity_map') }}

),

profile_values as (

    select * from {{ ref('profile_values') }}
    where preference = 1

),

countries as (

    select * from {{ ref('countries') }}

),

customers as (

    select
        customer_id,
        count(*) as records,
        count(distinct source) as sources
    from identity_map
    group by customer_id

),

survivors as (

    select
        customer_id,
        {% for field in fields %}
        max(case when field = '{{ field }}' then value end) as {{ field }},
        max(case when field = '{{ field }}' then sources end) as {{ field }}_source,
        {% endfor %}
        max(street) as street,
        max(city) as city,
        max(postcode) as postcode,
        max(case when field = 'address' then sources end) as address_source,
        max(case when field = 'birth_date' then cast(value as date) end) as birth_date,
        max(case when field = 'birth_date' then sources end) as birth_date_source
    from profile_values
    group by customer_id

),

final as (

    select
        customers.customer_id,
        survivors.birth_date,
        survivors.birth_date_source,
        {% for field in fields %}
        survivors.{{ field }},
        survivors.{{ field }}_source,
        {% endfor %}
        survivors.street,
        survivors.city,
        survivors.postcode,
        survivors.address_source,
        countries.country_code,
        survivors.email is null and survivors.phone is null
        and survivors.last_name is null as is_anonymous,
        customers.records,
        customers.sources,
        '{{ rules_version() }}' as rules_version
    from customers
    left join survivors on customers.customer_id = survivors.customer_id
    left join countries on survivors.country = countries.country

)

select * from final
