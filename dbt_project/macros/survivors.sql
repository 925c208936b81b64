{#
The CTEs from `visible`, the evidence that counts at one or more points of time, to `ranked`: one
row per point, customer, field and different value, the believed one with place 1. `point` names
the columns of a point. Expects the CTE name_variants.
#}
{% macro ranked_values(point=[]) -%}
{%- set of = point + ['customer_id', 'field'] -%}
{%- set keys = of | join(', ') -%}
weighed as (

    select
        *,
        {# A vote counts half for every half-life it is older than the newest about the field. #}
        cast(
            trust * coalesce(
                power(
                    0.5,
                    {{ days_between('told_on', 'max(told_on) over (partition by ' ~ keys ~ ')') }}
                    / half_life_days
                ),
                1
            ) as decimal(18, 6)
        ) as vote,
        min(defect) over (partition by {{ keys }}, value_key) as least_defect,
        row_number() over (
            partition by {{ keys }}, value_key
            order by
                is_mixed_case desc,
                told_on desc,
                trust desc,
                value asc nulls last,
                record_key asc nulls last
        ) as spelling
    from visible

),

tallied as (

    select
        {{ keys }},
        value_key,
        max(method) as method,
        max(case when spelling = 1 then value end) as value,
        max(case when spelling = 1 then street end) as street,
        max(case when spelling = 1 then city end) as city,
        max(case when spelling = 1 then postcode end) as postcode,
        max(case when spelling = 1 then source end) as source,
        count(*) as records,
        min(told_on) as first_told_on,
        max(told_on) as last_told_on,
        max(trust) as trust,
        sum(case when defect = least_defect then vote else 0 end) as votes,
        max(quality) as quality,
        max(least_defect) as defect
    from weighed
    group by {{ keys }}, value_key

),

{# What is said for a lesser form of a name is said for the name. #}
forms as (

    select
        {% for column in of %}
        lesser.{{ column }},
        {% endfor %}
        lesser.value_key,
        lesser.votes,
        fuller.value_key as fuller_key,
        fuller.value as fuller_value,
        name_variants.kind
    from tallied as lesser
    inner join name_variants
        on
            lesser.customer_id = name_variants.customer_id
            and lesser.field = name_variants.field
            and lesser.value_key = name_variants.value_key
    inner join tallied as fuller
        on
            name_variants.fuller_key = fuller.value_key
            and fuller.defect = 0
            {% for column in of %}
            and lesser.{{ column }} = fuller.{{ column }}
            {% endfor %}

),

lent as (

    select
        {{ keys }},
        fuller_key as value_key,
        sum(votes) as votes
    from forms
    group by {{ keys }}, fuller_key

),

lesser_forms as (

    select
        {{ keys }},
        value_key,
        min(kind || ' of ' || fuller_value) as form
    from forms
    group by {{ keys }}, value_key

),

measured as (

    select
        tallied.*,
        lesser_forms.form,
        tallied.votes + coalesce(lent.votes, 0) as all_votes,
        case tallied.method
            when 'votes' then cast(tallied.votes + coalesce(lent.votes, 0) as double)
            when 'trusted' then cast(tallied.trust as double)
            when 'longest' then cast(length(tallied.value_key) as double)
            else 0
        end as strength
    from tallied
    left join lent
        on
            {% for column in of + ['value_key'] %}
            {{ 'and ' if not loop.first }}tallied.{{ column }} = lent.{{ column }}
            {% endfor %}
    left join lesser_forms
        on
            {% for column in of + ['value_key'] %}
            {{ 'and ' if not loop.first }}tallied.{{ column }} = lesser_forms.{{ column }}
            {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by {{ keys }}
            order by
                defect asc nulls last,
                case when form is null then 0 else 1 end asc nulls last,
                strength desc,
                last_told_on desc,
                trust desc,
                value_key asc nulls last
        ) as place,
        {# What may not be used, or only for want of better, competes with nothing usable. #}
        count(*) over (partition by {{ keys }}, defect) as competing_values
    from measured

)
{%- endmacro %}

{# A short hash of all seeds that decide what of a profile is believed. #}
{% macro rules_version() -%}
    {%- set sums = [] -%}
    {%- if execute -%}
        {%- for seed in [
            'blocked_values', 'source_trust', 'survivorship', 'survivorship_trust',
            'value_qualities',
        ] -%}
            {%- do sums.append(graph.nodes['seed.cdp.' ~ seed].checksum.checksum) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(local_md5(sums | join)[:12]) }}
{%- endmacro %}
