{# The models of attribution: last_non_direct, and those that int_marketing__touch_weights has. #}
{% macro attribution_models() -%}
    {{ return([
        'first_touch', 'last_touch', 'last_non_direct', 'linear', 'time_decay', 'position_based',
        'markov', 'shapley'
    ]) }}
{%- endmacro %}
