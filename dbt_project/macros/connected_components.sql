{#
Connected components of the graph that a model describes by its edges (node_a, node_b).

The result has one row per node that has an edge: `node` and `component`, which is the smallest
node of its component. Min-neighbour contraction: every round points each node to its smallest
neighbour and contracts; a round that hardly shrinks the graph is followed by one that follows
the pointers to their roots, which bounds the rounds by log2 of the nodes. Portable SQL only.
Rounds are kept in tables, composed backwards, then dropped.
#}
{% materialization connected_components, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}

    {%- set edges = components_scratch('edges') -%}
    {% do components_table(edges, components_first_edges(sql)) %}
    {%- set graph = namespace(size=components_count(edges), before=none, rounds=[]) -%}
    {% for round in range(components_max_rounds()) if graph.size > 0 %}
        {%- set parents = components_scratch('parents_' ~ round) -%}
        {% do components_table(parents, components_smallest_neighbour(edges)) %}
        {% if graph.before is not none and graph.size > 0.7 * graph.before %}
            {% do components_follow_to_roots(parents) %}
        {% endif %}
        {%- set contracted = components_scratch('contracted') -%}
        {% do components_table(contracted, components_contract(edges, parents)) %}
        {% do components_table(edges, 'select u, v from ' ~ contracted) %}
        {% do adapter.drop_relation(contracted) %}
        {%- set graph.before = graph.size -%}
        {%- set graph.size = components_count(edges) -%}
        {% do graph.rounds.append(parents) %}
    {% endfor %}
    {% if graph.size > 0 %}
        {% do exceptions.raise_compiler_error('connected components did not converge') %}
    {% endif %}

    {%- set roots = components_scratch('roots') -%}
    {% do components_table(roots, components_no_rows(edges)) %}
    {% for parents in graph.rounds | reverse %}
        {% do components_table(parents, components_compose(parents, roots)) %}
        {% do components_table(roots, 'select node, parent from ' ~ parents) %}
    {% endfor %}

    {% if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif %}
    {% call statement('main') %}
        {{ create_table_as(
            False, target_relation, 'select node, parent as component from ' ~ roots
        ) }}
    {% endcall %}
    {% for relation in graph.rounds + [edges, roots] %}
        {% do adapter.drop_relation(relation) %}
    {% endfor %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# No graph that fits a warehouse needs more: contraction halves the nodes at least. #}
{% macro components_max_rounds() %}{{ return(64) }}{% endmacro %}

{% macro components_scratch(name) %}
    {{ return(api.Relation.create(
        database=this.database,
        schema=this.schema,
        identifier=this.identifier ~ '__' ~ name,
        type='table',
    )) }}
{% endmacro %}

{% macro components_table(relation, query) %}
    {%- set draft = relation.incorporate(path={'identifier': relation.identifier ~ '_draft'}) -%}
    {% do run_query('drop table if exists ' ~ draft) %}
    {% do run_query(create_table_as(False, draft, query)) %}
    {% do run_query('drop table if exists ' ~ relation) %}
    {% do run_query(create_table_as(False, relation, 'select * from ' ~ draft)) %}
    {% do run_query('drop table ' ~ draft) %}
{% endmacro %}

{% macro components_count(relation) %}
    {{ return(run_query('select count(*) from ' ~ relation).columns[0].values()[0] | int) }}
{% endmacro %}

{% macro components_first_edges(query) %}
    select distinct
        least(node_a, node_b) as u,
        greatest(node_a, node_b) as v
    from ({{ query }}) as links
    where node_a <> node_b
{% endmacro %}

{% macro components_smallest_neighbour(edges) %}
    select
        node,
        min(neighbour) as parent
    from (
        select v as node, u as neighbour from {{ edges }}
        union all
        select u as node, u as neighbour from {{ edges }}
    ) as sides
    group by node
{% endmacro %}

{% macro components_follow_to_roots(parents) %}
    {%- set walk = namespace(moved=1) -%}
    {% for _ in range(components_max_rounds()) if walk.moved > 0 %}
        {%- set walk.moved = run_query(
            'select count(*) from ' ~ parents ~ ' as child inner join ' ~ parents
            ~ ' as parent on child.parent = parent.node where parent.parent <> child.parent'
        ).columns[0].values()[0] | int -%}
        {% do components_table(parents, components_compose(parents, parents)) %}
    {% endfor %}
{% endmacro %}

{% macro components_contract(edges, parents) %}
    select distinct
        least(a.parent, b.parent) as u,
        greatest(a.parent, b.parent) as v
    from {{ edges }} as edge
    inner join {{ parents }} as a on edge.u = a.node
    inner join {{ parents }} as b on edge.v = b.node
    where a.parent <> b.parent
{% endmacro %}

{% macro components_compose(parents, roots) %}
    select
        child.node,
        coalesce(root.parent, child.parent) as parent
    from {{ parents }} as child
    left join {{ roots }} as root on child.parent = root.node
{% endmacro %}

{% macro components_no_rows(edges) %}
    select u as node, u as parent from {{ edges }} where 1 = 0
{% endmacro %}
