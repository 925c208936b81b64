{# One row per identifier that is blocked, with the reason; only new values are judged. #}
{{ config(
    materialized='by_key',
    key="identifier_type || ':' || identifier_value",
    inputs={
        'int_identity__given_identifiers': {
            'key': "identifier_type || ':' || identifier_value", 'content': 'identifier_type'
        }
    },
    fixed={'blocked_values': none}
) }}

with

given as (

    select distinct
        identifier_type,
        identifier_value
    from {{ ref('int_identity__given_identifiers') }}

),

blocked_values as (

    select * from {{ ref('blocked_values') }}

),

final as (

    select
        given.identifier_type,
        given.identifier_value,
        min(blocked_values.reason) as blocked_reason
    from given
    inner join blocked_values
        on
            given.identifier_type = blocked_values.identifier_type
            and (
                given.identifier_value = blocked_values.pattern
                or (
                    blocked_values.is_regex
                    and {{ matches('given.identifier_value', 'blocked_values.pattern') }}
                )
            )
    group by given.identifier_type, given.identifier_value

)

select * from final
