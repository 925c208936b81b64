{# One row per exact link: a record, the first record it shares an identifier with, and which. #}

with

records as (

    select
        record_key,
        {{ fold_name('first_name') }} as first_name
    from {{ ref('int_identity__records') }}

),

identifiers as (

    select * from {{ ref('int_identity__identifiers') }}
    where blocked_reason is null

),

identifier_types as (

    select * from {{ ref('identifier_types') }}

),

named as (

    select
        identifiers.record_key,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifier_types.is_guarded,
        identifier_types.max_names_per_value,
        records.first_name
    from identifiers
    inner join records on identifiers.record_key = records.record_key
    inner join identifier_types
        on identifiers.identifier_type = identifier_types.identifier_type

),

sharing as (

    select
        identifier_type,
        identifier_value,
        count(distinct first_name) as names
    from named
    group by identifier_type, identifier_value

),

{# A shared mailbox or phone links people of one first name; nameless records wait for more. #}
guarded as (

    select
        named.record_key,
        named.identifier_type,
        named.identifier_value,
        case
            when named.is_guarded and sharing.names > 1 then named.first_name
            else ''
        end as name_group
    from named
    inner join sharing
        on
            named.identifier_type = sharing.identifier_type
            and named.identifier_value = sharing.identifier_value
    where
        sharing.names <= coalesce(named.max_names_per_value, sharing.names)

),

final as (

    select
        identifier_type,
        identifier_value,
        record_key,
        min(record_key) over (
            partition by identifier_type, identifier_value, name_group
        ) as first_record_key
    from guarded
    where name_group is not null

)

select * from final
where record_key <> first_record_key
