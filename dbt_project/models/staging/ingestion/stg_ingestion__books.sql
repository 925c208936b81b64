{# One row per entry of a load: so many rows of a table received, accepted, and so on. #}

with

unioned as (
    {% for system in [
        'shop', 'crm', 'pos', 'web', 'ads', 'email', 'support', 'social', 'partner', 'dmp'
    ] %}
    select
        '{{ system }}' as source,
        table_name,
        entry,
        rows as row_count,
        _dlt_load_id as load_id
    from {{ source('raw_' ~ system, 'books') }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from unioned
