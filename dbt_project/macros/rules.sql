{# Byar's bound of a Poisson count: `deviate` below zero gives the lower one, of the count itself. #}
{% macro byar_bound(count, deviate) -%}
    ({{ count }}) * power(
        1 - 1 / (9 * ({{ count }})) + cast({{ deviate }} as double) / (3 * sqrt({{ count }})), 3
    )
{%- endmacro %}

{#
How likely `n` chances that make `mean` together give `k` or more: at most so much, one where `k` does
not exceed the mean by one. They are taken for equal ones (Hoeffding, 1956), the tail for its first
term over what is left of a geometric sum, and the term is Stirling's.
#}
{% macro binomial_tail(k, n, mean) -%}
    case
        when {{ k }} <= {{ mean }} + 1 or {{ mean }} <= 0 then 1.0
        else
            exp(
                {{ k }} * ln({{ mean }} / {{ k }})
                + coalesce(
                    ({{ n }} - {{ k }})
                    * ln(({{ n }} - {{ mean }}) / nullif({{ n }} - {{ k }}, 0)), 0
                )
            )
            * coalesce(sqrt({{ n }} / (2 * pi() * {{ k }} * nullif({{ n }} - {{ k }}, 0))), 1)
            / (1 - ({{ n }} - {{ k }}) * {{ mean }} / (({{ k }} + 1) * ({{ n }} - {{ mean }})))
    end
{%- endmacro %}

{#
The rows of `judged` whose `p_value` the correction of Benjamini and Hochberg keeps among so many
`tested`: of them, at most the share `rule_false_discoveries` is false, as `q_value` says of each.
#}
{% macro discoveries(judged, tested) -%}
    select *
    from (
        select
            *,
            min(adjusted) over (
                order by p_value asc nulls last rows between current row and unbounded following
            ) as q_value
        from (
            select
                *,
                p_value * {{ tested }} / rank() over (order by p_value asc nulls last) as adjusted
            from {{ judged }}
        ) as ranked
    ) as corrected
    where q_value <= {{ var('rule_false_discoveries') }}
{%- endmacro %}

{# Calendar months from one date to another, whatever the days. #}
{% macro months_between(first, last) -%}
    cast(
        (extract(year from {{ last }}) - extract(year from {{ first }})) * 12
        + extract(month from {{ last }}) - extract(month from {{ first }}) as bigint
    )
{%- endmacro %}

{# A number in words: one decimal. #}
{% macro figure(value) -%}
    cast(cast({{ value }} as decimal(18, 1)) as string)
{%- endmacro %}

{#
Why a time cannot be, null when it can: it lies more than a day (clocks and time zones differ) after
the row was loaded, or after CDP_TODAY where that is given, or before the first possible day.
#}
{% macro impossible_time(at, loaded_at) -%}
    case
        when {{ at }} > {{ loaded_at }} + interval '1' day then 'dated after it was loaded'
        when {{ at }} >= cast({{ today() }} as timestamp) + interval '2' day
            then 'dated after today'
        when {{ at }} < cast('{{ var("first_possible_day") }}' as timestamp)
            then 'dated before the first possible day'
    end
{%- endmacro %}
