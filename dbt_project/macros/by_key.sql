{#
A table that is kept by rebuilding the keys whose evidence changed: docs/decisions/006.

The model is the plain select of all its rows, of which those of one key come from input rows of that
key alone. What each key's rows were made of is kept as numbers in `<model>__keys`; keys whose inputs
number differently now are deleted and made anew, by the same select over these keys' rows. The model
says in its config
    key     its own key, an expression of its columns
    inputs  per model or source.table: `key`, and `content`, the columns that decide (default: all);
            one that is read through another alone has `is_watched: false`; one that another model
            numbers by the same key has `numbers_of` that model, whose numbers are taken; the only
            input of a model may name the `loads` of its rows: then loads are numbered, not keys, and
            a new one touches its keys, while one that is not what it was rebuilds all
    views   the views among what it reads, whose selects are put in their place
    fixed   per model that every key depends on: the columns that decide; a change rebuilds all
So does another text of the select, or of that of an input that is kept so too. The first build, and
an engine without deletes, make the table.
#}
{% materialization by_key, adapter='duckdb' %}

    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set keys = keys_of(this) -%}
    {%- set inputs = config.require('inputs') -%}
    {%- set views = config.get('views', []) -%}
    {%- set sql = with_views_inlined(sql, views) -%}
    {%- set version = local_md5(
        sql ~ numbers_of_fixed(config.get('fixed', {})) ~ versions_of(inputs)
    ) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('numbers') -%}
        create or replace temp table {{ this.identifier }}__now as
        {{ numbers_of_keys(inputs) }}
    {%- endcall %}

    {%- set is_known = existing is not none and existing.is_table and is_kept(keys, version) -%}
    {%- if is_known -%} {% do find_changed(this.identifier, keys) %} {%- endif -%}
    {%- if is_known and not has_other_loads(this.identifier, keys, inputs) -%}
        {% do rebuild_keys(
            target_relation, keys, inputs, views, config.require('key'), sql
        ) %}
    {%- else -%}
        {% do adapter.drop_relation(existing) if existing is not none %}
        {% call statement('main') -%}
            {{ get_create_table_as_sql(False, target_relation, sql) }}
        {%- endcall %}
        {% call statement('keys') -%}
            create or replace table {{ keys }} as
            select *, '{{ version }}' as version from {{ this.identifier }}__now
        {%- endcall %}
    {%- endif -%}

    {% call statement('forget') -%}
        drop table {{ this.identifier }}__now;
        drop table if exists {{ this.identifier }}__changed;
    {%- endcall %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}

{% endmaterialization %}

{# Where the numbers of a model's keys are. #}
{% macro keys_of(relation) -%}
    {{ return(relation.incorporate(
        path={'identifier': relation.identifier ~ '__keys'}, type='table'
    )) }}
{%- endmacro %}

{# What is numbered, keys or loads, and has another number than before. #}
{% macro find_changed(name, keys) -%}
    {% call statement('changed') -%}
        create or replace temp table {{ name }}__changed as
        select key_no from {{ name }}__now as is_now
        full join {{ keys }} as was using (key_no)
        where
            is_now.row_count is distinct from was.row_count
            or is_now.content is distinct from was.content
    {%- endcall %}
{%- endmacro %}

{# Whether rows of a load that was there before are gone, or others: then any key may be touched. #}
{% macro has_other_loads(name, keys, inputs) -%}
    {%- if not loads_of(inputs) -%} {{ return(false) }} {%- endif -%}
    {{ return(run_query(
        'select count(*) from ' ~ name ~ '__changed inner join ' ~ keys ~ ' using (key_no)'
    ).rows[0][0] > 0) }}
{%- endmacro %}

{# The column that names the load of each input row, if loads are numbered. #}
{% macro loads_of(inputs) -%}
    {{ return((inputs.values() | list)[0].loads) }}
{%- endmacro %}

{# Which rows have the keys of changed loads: by the names of all their loads, so that no other is read. #}
{% macro in_touched_loads(relation, how, changed) -%}
    {%- set keys = 'select ' ~ how.key ~ ' from ' ~ relation ~ ' where ' ~ in_loads(
        relation, how.loads, 'hash(' ~ how.loads ~ ') in (' ~ changed ~ ')'
    ) -%}
    {{ in_loads(relation, how.loads, how.key ~ ' in (' ~ keys ~ ')') }}
    and {{ how.key }} in ({{ keys }})
{%- endmacro %}

{# That a row is of one of the loads which have such rows. #}
{% macro in_loads(relation, loads, condition) -%}
    {%- set found = run_query(
        'select distinct ' ~ loads ~ ' from ' ~ relation ~ ' where ' ~ condition
    ).columns[0].values() -%}
    {{ return(loads ~ " in ('" ~ found | join("', '") ~ "')") }}
{%- endmacro %}

{# Delete the keys that are touched, and make them anew from their rows alone. #}
{% macro rebuild_keys(relation, keys, inputs, views, key, sql) -%}
    {%- set name = relation.identifier -%}
    {%- set changed = 'select key_no from ' ~ name ~ '__changed' -%}
    {%- set loads = loads_of(inputs) -%}
    {%- set narrowed = namespace(sql=sql) -%}
    {%- set parts = [] -%}
    {%- for input, how in inputs.items() if input not in views -%}
        {%- set part = name ~ '__part_' ~ loop.index -%}
        {%- set narrowed.sql = with_part(narrowed.sql, relation_named(input), part) -%}
        {%- set rows = part_of(relation_named(input), how, changed) -%}
        {%- if loads -%}
            {% do run_query('create or replace temp table ' ~ part ~ ' as ' ~ rows) %}
        {%- else -%}
            {%- do parts.append(part ~ ' as (' ~ rows ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {% call statement('delete') -%}
        delete from {{ relation }}
        where
            {% if loads -%} {{ key }} in (select {{ key }} from {{ name }}__part_1)
            {%- else -%} hash({{ key }}) in ({{ changed }})
            {%- endif %}
    {%- endcall %}
    {% call statement('main') -%}
        insert into {{ relation }} by name
        {{ 'with ' ~ parts | join(', ') if parts }}
        select * from ({{ narrowed.sql }})
    {%- endcall %}
    {% call statement('keys') -%}
        create or replace temp table {{ name }}__version as
        select min(version) as version from {{ keys }};
        delete from {{ keys }} where key_no in ({{ changed }});
        insert into {{ keys }}
        select is_now.*, versions.version from {{ name }}__now as is_now
        cross join {{ name }}__version as versions
        where is_now.key_no in ({{ changed }});
        drop table {{ name }}__version;
        drop table if exists {{ name }}__part_1;
    {%- endcall %}
{%- endmacro %}

{# The SQL of the rows of an input that have touched keys. #}
{% macro part_of(relation, how, changed) -%}
    select * from {{ relation }}
    where
        {% if how.loads -%}
        {{ in_touched_loads(relation, how, changed) }}
        {%- else -%}
        {# First the keys alone are read, then of other columns only what is wanted. #}
        rowid in (select rowid from {{ relation }} where hash({{ how.key }}) in ({{ changed }}))
        {%- endif %}
{%- endmacro %}

{# The SQL of one row per key, or load: how many input rows, and a number that says what is in them. #}
{% macro numbers_of_keys(inputs) -%}
    select key_no, count(*) as row_count, sum(content) as content
    from (
        {% for input, how in inputs.items() if how.get('is_watched', true) %}
        {% if how.numbers_of -%}
        select key_no, hash(row_count, content) as content from {{ keys_of(ref(how.numbers_of)) }}
        {%- else -%}
        select
            hash({{ how.loads or how.key }}) as key_no,
            {{ number_of(input, how.content) }} as content
        from {{ relation_named(input) }}
        {%- endif %}
        {{ 'union all' if not loop.last }}
        {% endfor %}
    )
    group by key_no
{%- endmacro %}

{# Numbers that say what is in the tables every key depends on. #}
{% macro numbers_of_fixed(fixed) -%}
    {%- for input, content in fixed.items() -%}
        {%- set found = run_query(
            'select cast(sum(' ~ number_of(input, content) ~ ') as varchar), count(*) from '
            ~ relation_named(input)
        ) -%}
        {{ input }} {{ found.rows[0].values() | join(' ') }}
    {%- endfor -%}
{%- endmacro %}

{# The versions of inputs that are kept by key too: rows can change where no number does. #}
{% macro versions_of(inputs) -%}
    {%- for input in inputs -%}
        {%- set node = graph.nodes.get('model.' ~ model.package_name ~ '.' ~ input) -%}
        {%- if node and node.config.materialized == 'by_key' -%}
            {%- set its_keys = ref(input) | string | replace(input, input ~ '__keys') -%}
            {{ run_query('select min(version) from ' ~ its_keys).rows[0][0] }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{# The SQL of a number of these columns of a row, or of all of them. #}
{% macro number_of(input, content) -%}
    {%- if not content -%}
        {%- set columns = adapter.get_columns_in_relation(relation_named(input)) -%}
        {%- set content = columns | map(attribute='quoted') | join(', ') -%}
    {%- endif -%}
    hash('{{ input }}', {{ content }})
{%- endmacro %}

{# Whether what is kept was made by the same select. #}
{% macro is_kept(keys, version) -%}
    {%- set known = adapter.get_relation(keys.database, keys.schema, keys.identifier) -%}
    {%- if known is none -%} {{ return(false) }} {%- endif -%}
    {{ return(run_query('select min(version) from ' ~ keys).rows[0][0] == version) }}
{%- endmacro %}

{# A model by its name, or a source by `source.table`. #}
{% macro relation_named(name) -%}
    {{ return(source(*name.split('.')) if '.' in name else ref(name)) }}
{%- endmacro %}

{# The select with those of its views in their place, so that their inputs can be narrowed too. #}
{% macro with_views_inlined(sql, views) -%}
    {%- set inlined = namespace(sql=sql) -%}
    {%- for view in views -%}
        {%- set relation = ref(view) -%}
        {%- set found = run_query(
            "select sql from duckdb_views() where schema_name = '" ~ relation.schema
            ~ "' and view_name = '" ~ relation.identifier ~ "'"
        ).rows[0][0] -%}
        {%- set select = found[found.index(' AS ') + 4:].strip().rstrip(';') -%}
        {%- set inlined.sql = inlined.sql | replace(relation | string, '(' ~ select ~ ')') -%}
    {%- endfor -%}
    {{ return(inlined.sql) }}
{%- endmacro %}

{# The select with a part of a table in its place: dbt writes the table so, and the engine's views so. #}
{% macro with_part(sql, relation, part) -%}
    {%- set kept = modules.re.escape(relation.schema ~ '.' ~ relation.identifier) -%}
    {%- set pattern = modules.re.escape(relation | string) ~ '|\\b' ~ kept ~ '\\b' -%}
    {%- set found = modules.re.subn(pattern, part, sql) -%}
    {%- if not found[1] -%}
        {%- do exceptions.raise_compiler_error('by_key: ' ~ relation ~ ' is not read') -%}
    {%- endif -%}
    {{ return(found[0]) }}
{%- endmacro %}
