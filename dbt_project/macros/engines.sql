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

{# One row for the first day of each month from one to another. #}
{% macro every_month(first, last) -%}
    {{ return(adapter.dispatch('every_month')(first, last)) }}
{%- endmacro %}

{% macro duckdb__every_month(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 month)) as date)
{%- endmacro %}

{% macro spark__every_month(first, last) -%}
    explode(sequence({{ first }}, {{ last }}, interval 1 month))
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
    timestamp_micros(cast(rint(cast({{ load_id }} as double) * 1000000) as bigint))
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

{# The values of a group, in order. #}
{% macro list_in_order(value, place) -%}
    {{ return(adapter.dispatch('list_in_order')(value, place)) }}
{%- endmacro %}

{% macro duckdb__list_in_order(value, place) -%}
    list({{ value }} order by {{ place }})
{%- endmacro %}

{% macro spark__list_in_order(value, place) -%}
    transform(
        array_sort(collect_list(struct({{ place }} as place, {{ value }} as value))), each -> each.value
    )
{%- endmacro %}

{# The sum of the products of two lists of doubles, place by place. #}
{% macro dot_product(list, other) -%}
    {{ return(adapter.dispatch('dot_product')(list, other)) }}
{%- endmacro %}

{% macro duckdb__dot_product(list, other) -%}
    list_dot_product({{ list }}, {{ other }})
{%- endmacro %}

{% macro spark__dot_product(list, other) -%}
    aggregate(
        zip_with({{ list }}, {{ other }}, (one, two) -> one * two),
        cast(0 as double),
        (total, each) -> total + each
    )
{%- endmacro %}

{# The values of several paths in a JSON text, which is parsed once. #}
{% macro json_texts(column, paths) -%}
    {{ return(adapter.dispatch('json_texts')(column, paths)) }}
{%- endmacro %}

{% macro duckdb__json_texts(column, paths) -%}
    json_extract_string({{ column }}, ['{{ paths | join("', '") }}'])
{%- endmacro %}

{% macro spark__json_texts(column, paths) -%}
    array(
    {%- for path in paths -%}
        get_json_object({{ column }}, '{{ path }}'){{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}

{# Of the values that json_texts found at `paths`, the one at `path`. #}
{% macro text_at(texts, paths, path) -%}
    {{ return(adapter.dispatch('text_at')(texts, paths.index(path) + 1)) }}
{%- endmacro %}

{% macro duckdb__text_at(texts, place) -%}
    list_extract({{ texts }}, {{ place }})
{%- endmacro %}

{% macro spark__text_at(texts, place) -%}
    element_at({{ texts }}, {{ place }})
{%- endmacro %}

{# A number that changes when one of the columns does, null being a value. #}
{% macro content_number(columns) -%}
    {{ return(adapter.dispatch('content_number')(columns)) }}
{%- endmacro %}

{% macro duckdb__content_number(columns) -%}
    cast(hash({{ columns | join(', ') }}) >> 1 as bigint)
{%- endmacro %}

{% macro spark__content_number(columns) -%}
    xxhash64(
    {%- for column in columns -%}
        coalesce(cast({{ column }} as string), '~'){{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}

{# The last value of a window's rows that is not null; `over (...)` follows. #}
{% macro last_known(expression) -%}
    {{ return(adapter.dispatch('last_known')(expression)) }}
{%- endmacro %}

{% macro duckdb__last_known(expression) -%}
    last_value({{ expression }} ignore nulls)
{%- endmacro %}

{% macro spark__last_known(expression) -%}
    last_value({{ expression }}) ignore nulls
{%- endmacro %}

{# The median of amounts to three places; of two middle ones, what lies between is cut off. #}
{% macro median_amount(column) -%}
    {{ return(adapter.dispatch('median_amount')(column)) }}
{%- endmacro %}

{% macro duckdb__median_amount(column) -%}
    median({{ column }})
{%- endmacro %}

{% macro spark__median_amount(column) -%}
    floor(median({{ column }}) * 1000 + cast(0.1 as double)) / 1000
{%- endmacro %}

{# How many bytes must be put in, left out or changed to make one text of another. #}
{% macro edits(text, other) -%}
    {{ return(adapter.dispatch('edits')(text, other)) }}
{%- endmacro %}

{% macro duckdb__edits(text, other) -%}
    levenshtein({{ text }}, {{ other }})
{%- endmacro %}

{% macro spark__edits(text, other) -%}
    levenshtein(
    {%- for each in [text, other] -%}
        decode(encode({{ each }}, 'UTF-8'), 'ISO-8859-1'){{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}

{# These columns of a group's first row in order, as one value; `filter (...)` may follow. #}
{% macro first_row(columns, in_order) -%}
    {{ return(adapter.dispatch('first_row')(columns, in_order)) }}
{%- endmacro %}

{% macro duckdb__first_row(columns, in_order) -%}
    arg_min(struct_pack({{ columns | join(', ') }}), row({{ in_order | join(', ') }}))
{%- endmacro %}

{% macro spark__first_row(columns, in_order) -%}
    min_by(struct({{ columns | join(', ') }}), struct({{ in_order | join(', ') }}))
{%- endmacro %}

{# These columns of a group's last row in order, as one value; `filter (...)` may follow. #}
{% macro last_row(columns, in_order) -%}
    {{ return(adapter.dispatch('last_row')(columns, in_order)) }}
{%- endmacro %}

{% macro duckdb__last_row(columns, in_order) -%}
    arg_max(struct_pack({{ columns | join(', ') }}), row({{ in_order | join(', ') }}))
{%- endmacro %}

{% macro spark__last_row(columns, in_order) -%}
    max_by(struct({{ columns | join(', ') }}), struct({{ in_order | join(', ') }}))
{%- endmacro %}

{# Every column but these. #}
{% macro all_but(columns) -%}
    {{ return(adapter.dispatch('all_but')(columns)) }}
{%- endmacro %}

{% macro duckdb__all_but(columns) -%}
    * exclude ({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__all_but(columns) -%}
    * except ({{ columns | join(', ') }})
{%- endmacro %}
