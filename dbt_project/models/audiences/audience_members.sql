{# One row per audience and customer in it. #}

with

final as (
    {% for audience in ['vip', 'at_risk', 'browsed_not_bought'] %}
    select
        '{{ audience }}' as audience,
        customer_id,
        reason
    from {{ ref('aud_' ~ audience) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final
