{# A table that DuckDB keeps by key is made whole on Spark, whose parquet tables know no deletes. #}
{% materialization by_key, adapter='spark' %}
    {{ return(dbt.materialization_table_spark()) }}
{% endmaterialization %}

{# The rows of a seed; dbt-spark's own takes neither apostrophes nor empty values. #}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set given = model.config.get('column_types', {}) -%}
    {%- set sql -%}
        insert into {{ this }} values
        {% for row in agate_table.rows -%}
            (
            {%- for name in agate_table.column_names -%}
                {%- set type = given.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                cast({{ spark_literal(row[name]) }} as {{ type }}){{ ', ' if not loop.last }}
            {%- endfor -%}
            ){{ ', ' if not loop.last }}
        {% endfor %}
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) if agate_table.rows -%}
    {{ return(sql) }}
{%- endmacro %}

{# A value as a text of Spark's, in which a backslash escapes. #}
{% macro spark_literal(value) -%}
    {%- if value is none -%}
        null
    {%- else -%}
        '{{ value | string | replace('\\', '\\\\') | replace("'", "\\'") }}'
    {%- endif -%}
{%- endmacro %}
