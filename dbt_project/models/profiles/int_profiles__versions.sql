{# One row per version of a record that says something of a person, of every load. #}

{% set fields = [
    'first_name', 'last_name', 'email', 'phone', 'birth_date', 'gender', 'street', 'city',
    'postcode', 'country', 'job_title'
] %}
{% set sources = [
    ('shop', 'account', 'user_id', 'stg_shop__account_versions', 'coalesce(updated_at, created_at)',
        ['birth_date', 'gender', 'job_title']),
    ('shop', 'order', 'order_id', 'stg_shop__order_contact_versions', 'ordered_at',
        ['birth_date', 'gender', 'job_title']),
    ('crm', 'contact', 'contact_id', 'stg_crm__contact_versions',
        'coalesce(updated_at, created_at)', []),
    ('email', 'profile', 'profile_id', 'stg_email__profile_versions',
        'coalesce(updated_at, created_at)',
        ['birth_date', 'gender', 'street', 'city', 'postcode', 'job_title']),
    ('support', 'user', 'support_user_id', 'stg_support__user_versions',
        'coalesce(updated_at, created_at)',
        ['birth_date', 'gender', 'street', 'city', 'postcode', 'country', 'job_title']),
    ('social', 'profile', 'social_handle', 'stg_social__profile_versions', 'updated_at',
        ['phone', 'birth_date', 'gender', 'street', 'city', 'postcode', 'country', 'job_title']),
] %}
{# Two tools keep the name in one field. #}
{% set full_names = {'support': 'full_name', 'social': 'display_name'} %}

with

{% for source, kind, key, model, told_at, missing in sources %}
{{ source }}_{{ kind }}s as (

    select * from {{ ref(model) }}

),

{% endfor %}
events as (

    select * from {{ ref('stg_web__events') }}
    where email is not null and not is_bot and not is_internal

),

device_periods as (

    select * from {{ ref('device_periods') }}
    where email is not null

),

order_lines as (

    select * from {{ ref('stg_shop__order_lines') }}
    where user_id is not null and country is not null

),

{# Somebody signs in many times: once a month is often enough to know that the address is used. #}
sign_ins as (

    select
        'web:user:' || user_id as record_key,
        email,
        min(occurred_at) as told_at,
        min(loaded_at) as loaded_at
    from events
    where user_id is not null
    group by user_id, email, date_trunc('month', occurred_at)

),

{# Where nobody signs in, a form tells the mailbox of the one who uses the browser. #}
forms as (

    select
        device_periods.record_key,
        device_periods.email,
        min(events.occurred_at) as told_at,
        min(events.loaded_at) as loaded_at
    from device_periods
    inner join events
        on
            device_periods.anonymous_id = events.anonymous_id
            and device_periods.email = events.email
    group by device_periods.record_key, device_periods.email

),

mailboxes as (

    select * from sign_ins
    union all
    select * from forms

),

countries_of_orders as (

    select
        user_id,
        country,
        min(ordered_at) as told_at,
        min(loaded_at) as loaded_at
    from order_lines
    group by user_id, country

),

versions as (

    {% for source, kind, key, model, told_at, missing in sources %}
    select
        '{{ source }}:{{ kind }}:' || {{ key }} as record_key,
        '{{ source }}' as source,
        {% for field in fields %}
        {% if field in missing %}
        cast(null as {{ 'date' if field == 'birth_date' else 'string' }}) as {{ field }},
        {% elif source in full_names and field == 'first_name' %}
        {{ first_word(full_names[source]) }} as first_name,
        {% elif source in full_names and field == 'last_name' %}
        {{ other_words(full_names[source]) }} as last_name,
        {% else %}
        {{ field }},
        {% endif %}
        {% endfor %}
        {{ told_at }} as told_at,
        loaded_at,
        true as is_whole
    from {{ source }}_{{ kind }}s
    union all
    {% endfor %}
    select
        record_key,
        'web' as source,
        {% for field in fields %}
        {{ 'email' if field == 'email' else 'null as ' ~ field }},
        {% endfor %}
        told_at,
        loaded_at,
        false as is_whole
    from mailboxes
    union all
    select
        'shop:account:' || user_id as record_key,
        'shop' as source,
        {% for field in fields %}
        {{ 'country' if field == 'country' else 'null as ' ~ field }},
        {% endfor %}
        told_at,
        loaded_at,
        false as is_whole
    from countries_of_orders

),

{# Nothing is told after it was loaded; what bears no time is older than all that does. #}
final as (

    select
        record_key,
        source,
        {% for field in fields %}
        {{ field }},
        {% endfor %}
        coalesce(
            case when told_at > loaded_at then loaded_at else told_at end,
            cast('1970-01-01' as timestamp)
        ) as told_at,
        loaded_at,
        is_whole
    from versions

)

select * from final
