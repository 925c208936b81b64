{# An e-mail address as it is compared: trimmed, lower case, null when it can be none. #}
{% macro normalise_email(column) -%}
    {%- set address = 'lower(trim(' ~ column ~ '))' -%}
    {%- set plain = 'replace(' ~ address ~ ", chr(39), '_')" -%}
    case
        when
            length({{ address }}) <= 254
            and position('@' in {{ address }}) <= 65
            and {{ matches(plain, "'" ~ email_pattern() ~ "'") }}
            then {{ address }}
    end
{%- endmacro %}

{# What an address in lower case looks like (RFC 5321): a name with dots between its parts, and a
domain of two labels or more. Ranges of characters, and no apostrophe: engines do not agree on how to
write others. #}
{% macro email_pattern() -%}
    {%- set part = '[!#-&*+/-9=?a-z^-~¡-�-]+' -%}
    {%- set label = '[a-z0-9¡-�]+(-+[a-z0-9¡-�]+)*' -%}
    {{ part }}([.]{{ part }})*@{{ label }}([.]{{ label }})+
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

{# Which version of a row this is, by its key as the source has it: 1 is the newest. #}
{% macro version_of(key) -%}
    row_number() over (partition by {{ key }} order by updated_at desc, _dlt_load_id desc)
{%- endmacro %}
