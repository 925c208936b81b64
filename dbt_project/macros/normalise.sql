{# An e-mail address as it is compared: trimmed, lower case, null when it is none. #}
{% macro normalise_email(column) -%}
    case
        when lower(trim({{ column }})) like '%_@_%._%' then lower(trim({{ column }}))
    end
{%- endmacro %}

{# A name as it is compared: lower case letters only, common accents folded, null when empty. #}
{% macro fold_name(column) -%}
    nullif(
        trim(
            translate(
                lower({{ column }}),
                'áàâäãåéèêëíìîïóòôöõøúùûüýçñ''.- ',
                'aaaaaaeeeeiiiioooooouuuuycn'
            )
        ), ''
    )
{%- endmacro %}

{# A text column with surrounding blanks removed, null when nothing is left. #}
{% macro clean_text(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}
