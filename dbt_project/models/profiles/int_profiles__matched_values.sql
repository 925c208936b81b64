{# One row per field, value and pattern of the seeds that it matches; only new ones are judged. #}
{{ config(
    materialized='by_key',
    key="field || ':' || value_key",
    inputs={'int_profiles__claims': {'key': "field || ':' || value_key", 'content': 'field'}},
    fixed={'value_qualities': none, 'blocked_values': none}
) }}

with

claims as (

    select distinct
        field,
        value_key
    from {{ ref('int_profiles__claims') }}
    where value_key is not null

),

value_qualities as (

    select * from {{ ref('value_qualities') }}

),

blocked_values as (

    select * from {{ ref('blocked_values') }}

),

final as (

    select
        claims.field,
        claims.value_key,
        value_qualities.quality
    from claims
    inner join value_qualities
        on
            claims.field = value_qualities.field
            and value_qualities.pattern is not null
            and {{ matches('claims.value_key', 'value_qualities.pattern') }}
    union all
    select
        claims.field,
        claims.value_key,
        blocked_values.reason as quality
    from claims
    inner join blocked_values
        on
            claims.field = blocked_values.identifier_type
            and (
                claims.value_key = blocked_values.pattern
                or (
                    blocked_values.is_regex
                    and {{ matches('claims.value_key', 'blocked_values.pattern') }}
                )
            )

)

select * from final
