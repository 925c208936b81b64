{# The value of a path in a JSON text, as text. #}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_text(column, path) -%}
    json_extract_string({{ column }}, '{{ path }}')
{%- endmacro %}

{% macro spark__json_text(column, path) -%}
    get_json_object({{ column }}, '{{ path }}')
{%- endmacro %}

{# Whole days from one date to another. #}
{% macro days_between(first, last) -%}
    {{ return(adapter.dispatch('days_between')(first, last)) }}
{%- endmacro %}

{% macro duckdb__days_between(first, last) -%}
    date_diff('day', {{ first }}, {{ last }})
{%- endmacro %}

{% macro spark__days_between(first, last) -%}
    cast(datediff({{ last }}, {{ first }}) as bigint)
{%- endmacro %}

{# The day by which terms end and retention is kept: CDP_TODAY, or else the calendar's. #}
{% macro today() -%}
    {%- set given = env_var('CDP_TODAY', '') -%}
    {{ return("cast('" ~ given ~ "' as date)" if given else 'current_date') }}
{%- endmacro %}

{# Whole seconds since 1970 of a time in UTC. #}
{% macro epoch_seconds(column) -%}
    {{ return(adapter.dispatch('epoch_seconds')(column)) }}
{%- endmacro %}

{% macro duckdb__epoch_seconds(column) -%}
    cast(floor(epoch({{ column }})) as bigint)
{%- endmacro %}

{% macro spark__epoch_seconds(column) -%}
    unix_timestamp({{ column }})
{%- endmacro %}

{# Whether a whole text is described by a regular expression. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_full_match({{ text }}, {{ pattern }})
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    {{ text }} rlike concat_ws('', '^(', {{ pattern }}, ')$')
{%- endmacro %}

{# When a load began, by its id, in UTC. #}
{% macro time_of_load(load_id) -%}
    {{ return(adapter.dispatch('time_of_load')(load_id)) }}
{%- endmacro %}

{% macro duckdb__time_of_load(load_id) -%}
    cast(to_timestamp(cast({{ load_id }} as double)) as timestamp)
{%- endmacro %}

{% macro spark__time_of_load(load_id) -%}
    timestamp_seconds(cast({{ load_id }} as double))
{%- endmacro %}

{# The different texts of a group in one, in order, with commas. #}
{% macro text_list(column) -%}
    {{ return(adapter.dispatch('text_list')(column)) }}
{%- endmacro %}

{% macro duckdb__text_list(column) -%}
    array_to_string(list_sort(list_distinct(list({{ column }}))), ', ')
{%- endmacro %}

{% macro spark__text_list(column) -%}
    array_join(array_sort(collect_set({{ column }})), ', ')
{%- endmacro %}

{# `as` of a CTE of a view that is asked for few rows: what is asked for is filtered first. #}
{% macro as_inlined() -%}
    {{ return(adapter.dispatch('as_inlined')()) }}
{%- endmacro %}

{% macro duckdb__as_inlined() -%}
    as not materialized
{%- endmacro %}

{% macro spark__as_inlined() -%}
    as
{%- endmacro %}
