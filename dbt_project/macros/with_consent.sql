{#
The last step of every audience: of the candidates (customer_id, reason) only those who can be
reached on the channel and agreed to the purpose. Silence is no.
#}
{% macro with_consent(candidates, purpose, channel) -%}
    select
        candidates.customer_id,
        candidates.reason
    from {{ candidates }} as candidates
    inner join {{ ref('customer_consents') }} as consents
        on
            candidates.customer_id = consents.customer_id
            and consents.purpose = '{{ purpose }}'
            and consents.channel = '{{ channel }}'
            and consents.is_granted
    inner join {{ ref('customer_contacts') }} as contacts
        on
            candidates.customer_id = contacts.customer_id
            and contacts.{{ channel }} is not null
{%- endmacro %}
