{# A key that is a function of the given columns alone, nulls included. #}
{% macro surrogate_key(columns) -%}
    md5(concat_ws('|'
    {%- for column in columns -%}
        , coalesce(cast({{ column }} as string), '~')
    {%- endfor -%}
    ))
{%- endmacro %}
