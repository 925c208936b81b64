{# The models of attribution, each a column of int_marketing__touch_weights. #}
{% macro attribution_models() -%}
    {{ return([
        'first_touch', 'last_touch', 'linear', 'time_decay', 'position_based', 'markov', 'shapley'
    ]) }}
{%- endmacro %}
