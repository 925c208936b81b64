{# Byar's bound of a Poisson count: `deviate` below zero gives the lower one, of the count itself. #}
{% macro byar_bound(count, deviate) -%}
    ({{ count }}) * power(
        1 - 1 / (9 * ({{ count }})) + cast({{ deviate }} as double) / (3 * sqrt({{ count }})), 3
    )
{%- endmacro %}

{# Calendar months from one date to another, whatever the days. #}
{% macro months_between(first, last) -%}
    cast(
        (extract(year from {{ last }}) - extract(year from {{ first }})) * 12
        + extract(month from {{ last }}) - extract(month from {{ first }}) as bigint
    )
{%- endmacro %}

{# A number in words: one decimal. #}
{% macro figure(value) -%}
    cast(cast({{ value }} as decimal(18, 1)) as string)
{%- endmacro %}

{#
Why a time cannot be, null when it can: it lies more than a day (clocks and time zones differ) after
the row was loaded, or after CDP_TODAY where that is given, or before the first possible day.
#}
{% macro impossible_time(at, loaded_at) -%}
    case
        when {{ at }} > {{ loaded_at }} + interval '1' day then 'dated after it was loaded'
        when {{ at }} >= cast({{ today() }} as timestamp) + interval '2' day
            then 'dated after today'
        when {{ at }} < cast('{{ var("first_possible_day") }}' as timestamp)
            then 'dated before the first possible day'
    end
{%- endmacro %}
