{# One row per row, line or file that a contract refused, whatever its source. #}

with

unioned as (
    {% for system in [
        'shop', 'crm', 'pos', 'web', 'ads', 'email', 'support', 'social', 'partner', 'dmp'
    ] %}
    select
        '{{ system }}' as source,
        table_name,
        reason,
        payload,
        origin,
        _dlt_load_id as load_id
    from {{ source('raw_' ~ system, 'quarantine') }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from unioned
