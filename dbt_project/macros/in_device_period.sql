{#
Whether an event happened on the device in the period: after the login that ended the one before,
up to the last login of this one. The first period has no start, the last one no end.
#}
{% macro in_device_period(events, periods) -%}
    {{ events }}.anonymous_id = {{ periods }}.anonymous_id
    and ({{ periods }}.after_at is null or {{ events }}.occurred_at > {{ periods }}.after_at)
    and ({{ periods }}.until_at is null or {{ events }}.occurred_at <= {{ periods }}.until_at)
{%- endmacro %}
