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

{# Of a name kept in one field, what comes before the first blank. #}
{% macro first_word(column) -%}
    split_part({{ column }}, ' ', 1)
{%- endmacro %}

{# Of a name kept in one field, what comes after the first blank; null when nothing does. #}
{% macro other_words(column) -%}
    nullif(trim(substr({{ column }}, length({{ first_word(column) }}) + 1)), '')
{%- endmacro %}

{# The host of a URL in lower case, null when there is none. #}
{% macro url_host(column) -%}
    nullif(lower(split_part(split_part(split_part({{ column }}, '//', 2), '/', 1), ':', 1)), '')
{%- endmacro %}
